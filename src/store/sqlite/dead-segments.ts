import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Sql } from './database.ts'

/** A third of a millisecond. */
const rowsAtOnce = 2_000

/**
 * Finds sealed segments that no row names any more. An index by segment would cost every delivery; this reads the narrow
 * table of bodies from one end to the other, a little each turn, some times a day.
 */
export async function deadSegments(sql: Sql, stopped: () => boolean): Promise<number[]> {
  const sealed = sql.all<readonly [number]>('SELECT segment FROM segment WHERE sealed = 1')
  const dead = new Set(sealed.map(([segment]) => segment))
  for (let after = 0; dead.size > 0; ) {
    if (stopped()) return []
    const rows = sql.all<readonly [number, number | null]>(
      `SELECT max(blob), segment FROM (SELECT blob, segment FROM blob WHERE blob > ? ORDER BY blob LIMIT ${rowsAtOnce})
        GROUP BY segment`,
      after,
    )
    if (rows.length === 0) break
    for (const [blob, segment] of rows) {
      if (segment !== null) dead.delete(segment)
      after = Math.max(after, blob)
    }
    await nextTurn()
  }
  return [...dead]
}
