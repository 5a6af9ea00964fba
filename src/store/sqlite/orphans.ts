/** Files of large bodies that no row names: a crash fell between their arrival and their acceptance. */
import { join } from 'node:path'
import type { Sql } from './database.ts'
import type { Disk } from './disk.ts'

/** Younger ones may be waiting for their acceptance. */
export const ageOfOrphansMs = 24 * 60 * 60_000

/**
 * Removes them, one folder of `big/` at each step, so that mail does not wait.
 *
 * @param nowMs The time.
 * @returns How many at each step.
 */
export function* removeOrphans(sql: Sql, disk: Disk, folder: string, nowMs: number): Generator<number> {
  const big = join(folder, 'big')
  for (const name of listed(disk, big)) {
    let removed = 0
    for (const file of listed(disk, join(big, name))) {
      if (sql.get('SELECT 1 FROM blob WHERE file = ? LIMIT 1', `${name}/${file}`) !== undefined) continue
      if (removeIfOld(disk, join(big, name, file), nowMs)) removed++
    }
    yield removed
  }
}

function listed(disk: Disk, folder: string): string[] {
  try {
    return disk.list(folder)
  } catch {
    return []
  }
}

function removeIfOld(disk: Disk, file: string, nowMs: number): boolean {
  try {
    // The clock may have been set back since: then what is being received now looks old.
    if (Math.min(nowMs, Date.now()) - disk.modifiedAt(file) <= ageOfOrphansMs) return false
    disk.remove(file)
    return true
  } catch {
    // Gone meanwhile, or not ours to remove.
    return false
  }
}
