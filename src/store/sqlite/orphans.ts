/** Files of large bodies that no row names: a crash fell between their arrival and their acceptance. */
import { join } from 'node:path'
import type { Sql } from './database.ts'
import type { Disk } from './disk.ts'

/** Younger ones may be waiting for their acceptance. */
const ageMs = 24 * 60 * 60_000

/**
 * Removes them, one folder of `big/` at each step, so that mail does not wait.
 *
 * @param nowMs When the store was opened.
 */
export function* removeOrphans(sql: Sql, disk: Disk, folder: string, nowMs: number): Generator<void> {
  const big = join(folder, 'big')
  for (const name of listed(disk, big)) {
    for (const file of listed(disk, join(big, name))) {
      if (sql.get('SELECT 1 FROM blob WHERE file = ? LIMIT 1', `${name}/${file}`) !== undefined) continue
      removeIfOld(disk, join(big, name, file), nowMs)
    }
    yield
  }
}

function listed(disk: Disk, folder: string): string[] {
  try {
    return disk.list(folder)
  } catch {
    return []
  }
}

function removeIfOld(disk: Disk, file: string, nowMs: number): void {
  try {
    if (nowMs - disk.modifiedAt(file) > ageMs) disk.remove(file)
  } catch {
    // Gone meanwhile, or not ours to remove.
  }
}
