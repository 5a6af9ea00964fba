/**
 * The tables' log after one of its syncs failed. The system may have given up octets that it still shows to whoever reads
 * them, and its next sync says nothing of it: so the log is not synced again and believed. The process ends; the next one
 * writes the log anew, as it can be read, before it opens it. What the log lacks then is done again from the records.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Disk } from './disk.ts'

const logName = 'meta.db-wal'
const pieceOctets = 1024 * 1024

/** Only for as long as the system runs: a power cut takes what it had given up, and then the log is what it seems. */
function markOf(folder: string): string {
  return join(folder, 'log-not-synced')
}

export function noteUnsyncedLog(disk: Disk, folder: string): void {
  try {
    disk.close(disk.create(markOf(folder)))
  } catch {
    // It is there already; or nothing can be made, and then the next start will hardly find a disk that works.
  }
}

/** For who holds the folder, before the tables are opened. @throws {Error} The disk fails still. */
export function writeUnsyncedLogAnew(disk: Disk, folder: string): void {
  if (!disk.list(folder).includes('log-not-synced')) return
  if (disk.list(folder).includes(logName)) copyLog(disk, folder)
  disk.remove(markOf(folder))
}

function copyLog(disk: Disk, folder: string): void {
  const [log, copy] = [join(folder, logName), join(folder, `${logName}.new`)]
  if (disk.list(folder).includes(`${logName}.new`)) disk.remove(copy)
  const [from, to] = [openSync(log, 'r'), disk.create(copy)]
  try {
    const piece = Buffer.allocUnsafeSlow(pieceOctets)
    for (let at = 0; ; ) {
      const octets = readSync(from, piece, 0, piece.length, at)
      if (octets === 0) break
      disk.write(to, [piece.subarray(0, octets)], at)
      at += octets
    }
    disk.sync(to)
  } finally {
    closeSync(from)
    disk.close(to)
  }
  disk.rename(copy, log)
  disk.syncFolder(folder)
}
