import { type Disk, systemDisk } from './disk.ts'

/** The system's disk, or in a test the one that a module makes. */
export async function pickDisk(data: {
  readonly diskModule: string | null
  readonly diskData: unknown
}): Promise<Disk> {
  if (data.diskModule === null) return systemDisk
  const module = (await import(data.diskModule)) as { makeDisk(data: unknown): Disk }
  return module.makeDisk(data.diskData)
}
