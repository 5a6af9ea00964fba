import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/**
 * Writes what a database holds at one moment into a new file, while others write to it. VACUUM and not a copy of pages:
 * the copy is one file without a log, holds no octet of what was deleted, and takes as long.
 */
export function snapshot(from: string, to: string): void {
  rmSync(to, { force: true })
  // The file is made here, so that nobody else can read it at any moment.
  closeSync(openSync(to, 'wx', 0o600))
  const db = new DatabaseSync(from, { readOnly: true, timeout: 5_000 })
  try {
    db.prepare('VACUUM INTO ?').run(to)
  } finally {
    db.close()
  }
  const fd = openSync(to, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
