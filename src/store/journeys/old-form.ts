/** A file of version 2, which had a row for each entry: its journeys are read out of it, so that they can be put into the new tables. */
import { zstdDecompressSync } from 'node:zlib'
import type { JourneyEvent, JourneyFacts } from '../../journey/event.ts'
import type { Sql } from '../sqlite/database.ts'
import { GatheredEntries, type PackedBatch } from './gathered-entries.ts'

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
  const gathered = new GatheredEntries()
  for (const [journey, journeyId, startedAt, facts] of rows) {
    const entries = sql.all<readonly [number, string | Uint8Array]>(
      'SELECT part, events FROM old_entry WHERE journey = ? ORDER BY entry',
      journey,
    )
    gathered.add({ journeyId, facts: sound<JourneyFacts>(facts) ?? {}, events: eventsOf(entries) }, startedAt)
    sql.run('DELETE FROM old_entry WHERE journey = ?', journey)
  }
  sql.run('DELETE FROM old_journey WHERE journey <= ?', rows.at(-1)![0])
  return gathered.take()
}

function eventsOf(
  entries: readonly (readonly [part: number, events: string | Uint8Array])[],
): JourneyEvent[] {
  const placed = entries.flatMap(([part, kept]) =>
    (sound<readonly (readonly [number, JourneyEvent])[]>(kept) ?? []).map(([place, event]) => ({
      ...{ part, place, event },
    })),
  )
  placed.sort((a, b) => a.part - b.part || a.place - b.place)
  return placed.map(({ event }) => event)
}

/** @returns Null when it is damaged, which must not keep the others from being taken over. */
function sound<Value>(kept: string | Uint8Array): Value | null {
  try {
    const text = typeof kept === 'string' ? kept : zstdDecompressSync(kept).toString('utf8')
    return JSON.parse(text) as Value
  } catch {
    return null
  }
}
