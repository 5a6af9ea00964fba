/** A file of version 2, which had a row for each entry: its journeys are read out of it, so that they can be put into the new tables. */
import { zstdDecompressSync } from 'node:zlib'
import type { Sql } from '../sqlite/database.ts'
import { type PackedBatch, packEvents, packHead } from './pack-entry.ts'

export const oldVersion = 2
const takenAtOnce = 100

/** Out of the way of the new tables. In a transaction. */
export function setOldApart(sql: Sql): void {
  sql.exec(`
    DROP TABLE found;
    DROP TABLE unkeyed;
    DROP INDEX journey_changed;
    DROP INDEX entry_wire;
    ALTER TABLE journey RENAME TO old_journey;
    ALTER TABLE entry RENAME TO old_entry;
  `)
}

export function hasOldForm(sql: Sql): boolean {
  return sql.get("SELECT 1 FROM sqlite_schema WHERE name = 'old_journey'") !== undefined
}

/** Takes the oldest journeys out of the old tables, and the tables away after the last. In a transaction. @returns Null: that was all. */
export function readOld(sql: Sql): PackedBatch | null {
  const rows = sql.all<readonly [number, string, number, string]>(
    `SELECT journey, id, started_at, facts FROM old_journey ORDER BY journey LIMIT ${takenAtOnce}`,
  )
  if (rows.length === 0) {
    sql.exec('DROP TABLE old_journey; DROP TABLE old_entry')
    return null
  }
  const [heads, events, wire]: [string[], string[], string[]] = [[], [], []]
  for (const [journey, id, startedAt, facts] of rows) {
    const entries = sql.all<readonly [number, number, string | Uint8Array]>(
      'SELECT wire, part, events FROM old_entry WHERE journey = ? ORDER BY entry',
      journey,
    )
    heads.push(packHead(id, startedAt, entries.length > 0, sound(facts) ?? '{}'))
    for (const [isWire, part, placed] of entries) {
      const text = sound(placed)
      if (text !== null) (isWire === 1 ? wire : events).push(packEvents(id, part, text))
    }
    sql.run('DELETE FROM old_entry WHERE journey = ?', journey)
  }
  sql.run('DELETE FROM old_journey WHERE journey <= ?', rows.at(-1)![0])
  const at = Math.max(...rows.map(([, , startedAt]) => startedAt))
  return { at, heads: heads.join('\n'), events: events.join('\n'), wire: wire.join('\n') }
}

/** @returns One line of JSON; null when it is damaged, which must not keep the others from being taken over. */
function sound(kept: string | Uint8Array): string | null {
  try {
    const text = typeof kept === 'string' ? kept : zstdDecompressSync(kept).toString('utf8')
    JSON.parse(text)
    return text
  } catch {
    return null
  }
}
