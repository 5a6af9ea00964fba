/**
 * The disk of the process under test: now and then it is full, for bodies, so that segments end, or for the tables; in
 * controls it does not sync.
 */
import { DatabaseSync } from 'node:sqlite'
import type { Disk } from '../../src/store/sqlite/disk.ts'
import { systemDisk } from '../../src/store/sqlite/disk.ts'

const fewOctets = 65_000
/** What strikes out a record: whoever refused a batch, and cannot even do that, may find it done at the next start. */
const strikeOctets = 40

export interface TestDiskData {
  /** What it does not sync. */
  readonly careless: 'bodies' | 'folders' | 'records' | null
  /** Every so many writes of few octets fail half-way: of batches of letters, and of the ends of large ones. */
  readonly failEvery: number
}

export function makeDisk({ careless, failEvery }: TestDiskData): Disk {
  let writes = 0
  failCommits(() => writes > 0)
  return {
    ...systemDisk,
    sync: (fd) => (careless === 'bodies' ? undefined : systemDisk.sync(fd)),
    syncFolder: (folder) => (careless === 'folders' ? undefined : systemDisk.syncFolder(folder)),
    write(fd, all, at) {
      const chunks = careless === 'records' ? all.map(withoutRecord) : all
      const octets = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      const isBatch = octets > strikeOctets && octets <= fewOctets
      if (!isBatch || ++writes % failEvery !== 0) return systemDisk.write(fd, chunks, at)
      systemDisk.write(fd, chunks.slice(0, chunks.length >> 1), at)
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    },
  }
}

/** Zeros in place of what a batch did. */
function withoutRecord(chunk: Uint8Array): Uint8Array {
  return Buffer.from(chunk.subarray(0, 4)).toString() === 'PSTB' ? Buffer.alloc(chunk.length) : chunk
}

const commitsBetween = 40

/** Of the writer. @param begun What was lost before has been done again. */
function failCommits(begun: () => boolean): void {
  const exec = DatabaseSync.prototype.exec
  let writing = false
  let commits = 0
  DatabaseSync.prototype.exec = function (this: DatabaseSync, text: string): void {
    if (text.startsWith('BEGIN')) writing = text === 'BEGIN IMMEDIATE'
    if (text === 'COMMIT' && writing && begun() && ++commits % commitsBetween === 0)
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
    exec.call(this, text)
  }
}
