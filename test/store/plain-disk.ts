import type { Disk } from '../../src/store/sqlite/disk.ts'
import { systemDisk } from '../../src/store/sqlite/disk.ts'

/** The system's, for a test that only wants something else of the store. */
export function makeDisk(): Disk {
  return systemDisk
}
