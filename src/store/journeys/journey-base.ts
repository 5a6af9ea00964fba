/** The file of the journeys: what is written to it, found in it and cleared out of it. Worker thread only. */
import { DatabaseSync } from 'node:sqlite'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Journey, JourneyFacts, JourneyQuery } from '../../journey/event.ts'
import { Sql } from '../sqlite/database.ts'
import { journeyTables, journeyVersion } from './journey-tables.ts'
import { keysOf, linkText, mergeFacts } from './merge-facts.ts'
import type { PackedEntry, PlacedEvent } from './pack-entry.ts'
import type { JourneyThreadData } from './protocol.ts'

/** Text over this is compressed: 4 times smaller, 20 µs for 4 KB. */
const compressedChars = 1_000
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }
/** Rows that are deleted in one transaction. */
const deletedAtOnce = 500
/** What the file is brought down to once it is over its bound. */
const lowWater = 0.9

export class JourneyBase {
  readonly #sql: Sql
  readonly #data: JourneyThreadData

  /** @throws {Error} The file is damaged, or of another version. */
  constructor(file: string, data: JourneyThreadData) {
    const db = new DatabaseSync(file, { timeout: 1_000 })
    this.#sql = new Sql(db)
    this.#data = data
    try {
      const version = Number(this.#sql.get('PRAGMA user_version')?.[0])
      if (version !== 0 && version !== journeyVersion)
        throw new Error(`file is not a database of ours: ${version}`)
      db.exec(journeyTables)
    } catch (error) {
      db.close()
      throw error
    }
  }

  append(entries: readonly PackedEntry[]): void {
    this.#transaction(() => {
      for (const entry of entries) this.#appendOne(entry)
    })
    if (this.#octets() > this.#data.fileOctets) this.#shrink()
  }

  /** @returns Each as JSON, the newest first. */
  find(query: JourneyQuery): string[] {
    const keys = keysOfQuery(query)
    const conditions = keys.map(
      (_, i) =>
        `EXISTS (SELECT 1 FROM found WHERE kind = ?${i * 2 + 1} AND value = ?${i * 2 + 2} AND found.journey = journey.journey)`,
    )
    const first = keys[0]
    const limit = Math.min(Math.max(query.limit, 1), 1_000)
    const values = keys.flat()
    // The first key leads, in the order of its index; the others are asked for each.
    const from =
      first === undefined
        ? 'journey'
        : 'found AS leading CROSS JOIN journey ON journey.journey = leading.journey'
    const where = [
      ...(first === undefined ? [] : ['leading.kind = ?1 AND leading.value = ?2', ...conditions.slice(1)]),
      ...(query.journeyId === undefined ? [] : [`journey.id = ?${values.length + 1}`]),
    ]
    const order = first === undefined ? 'journey.journey' : 'leading.journey'
    const rows = this.#sql.all<readonly [number, string, number, string]>(
      `SELECT journey.journey, id, started_at, facts FROM ${from}
        ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`} ORDER BY ${order} DESC LIMIT ${limit}`,
      ...values,
      ...(query.journeyId === undefined ? [] : [query.journeyId]),
    )
    return rows.map(([journey, journeyId, startedAt, facts]) =>
      JSON.stringify({
        ...{ journeyId, startedAt, facts: JSON.parse(facts) as JourneyFacts },
        events: this.#events(journey),
      } satisfies Journey),
    )
  }

  /** Deletes what is older than it may be, in pieces. */
  expire(nowMs: number): void {
    const oldWire = nowMs - this.#data.wireMs
    this.#inPieces(() =>
      this.#sql.run(
        'DELETE FROM entry WHERE entry IN (SELECT entry FROM entry WHERE wire = 1 AND at < ? LIMIT ?)',
        oldWire,
        deletedAtOnce,
      ),
    )
    const oldFacts = nowMs - this.#data.factsMs
    this.#inPieces(() =>
      this.#deleteJourneys(
        'SELECT journey FROM journey WHERE changed_at < ? LIMIT ?',
        oldFacts,
        deletedAtOnce,
      ),
    )
    this.#sql.exec('PRAGMA incremental_vacuum(2000)')
    this.#sql.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  close(): void {
    this.#sql.close()
  }

  #appendOne(entry: PackedEntry): void {
    const journey = this.#keepFacts(entry)
    const part = Number(this.#sql.get('SELECT coalesce(max(entry), 0) + 1 FROM entry')?.[0])
    if (entry.events !== null) this.#keepEvents(journey, entry.at, part, 0, entry.events)
    if (entry.wire !== null) this.#keepEvents(journey, entry.at, part, 1, entry.wire)
  }

  #keepFacts({ journeyId, facts, at }: PackedEntry): number {
    const row = this.#sql.get<readonly [number, string]>(
      'SELECT journey, facts FROM journey WHERE id = ?',
      journeyId,
    )
    if (row === undefined) {
      const [journey] = this.#sql.get<readonly [number]>(
        'INSERT INTO journey VALUES (NULL, ?, ?, ?, ?) RETURNING journey',
        ...[journeyId, at, at, JSON.stringify(facts ?? {})],
      )!
      if (facts !== null) this.#keepKeys(journey, facts)
      return journey
    }
    const [journey, text] = row
    const merged = facts === null ? text : JSON.stringify(mergeFacts(JSON.parse(text) as JourneyFacts, facts))
    this.#sql.run(
      'UPDATE journey SET facts = ?, started_at = min(started_at, ?), changed_at = max(changed_at, ?) WHERE journey = ?',
      ...[merged, at, at, journey],
    )
    if (facts !== null) this.#keepKeys(journey, facts)
    return journey
  }

  #keepKeys(journey: number, facts: JourneyFacts): void {
    for (const [kind, value] of keysOf(facts)) {
      this.#sql.run('INSERT OR IGNORE INTO found VALUES (?, ?, ?)', kind, value, journey)
    }
  }

  #keepEvents(journey: number, at: number, part: number, wire: 0 | 1, text: string): void {
    const small = text.length <= compressedChars
    this.#sql.run(
      'INSERT INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?)',
      ...[journey, at, wire, part, small ? 0 : 1],
      small ? text : zstdCompressSync(text, zstdOptions),
    )
  }

  /** By their time; those of one millisecond as they came. */
  #events(journey: number): Journey['events'] {
    const rows = this.#sql.all<readonly [number, number, string | Uint8Array]>(
      'SELECT part, codec, events FROM entry WHERE journey = ?',
      journey,
    )
    const placed = rows.flatMap(([part, , events]) => {
      const text = typeof events === 'string' ? events : zstdDecompressSync(events).toString('utf8')
      return (JSON.parse(text) as PlacedEvent[]).map(([place, event]) => ({ part, place, event }))
    })
    placed.sort((a, b) => a.event.at - b.event.at || a.part - b.part || a.place - b.place)
    return placed.map(({ event }) => event)
  }

  #shrink(): void {
    const target = this.#data.fileOctets * lowWater
    while (this.#octets() > target) {
      const deleted = this.#transaction(() =>
        this.#deleteJourneys('SELECT journey FROM journey ORDER BY changed_at LIMIT ?', deletedAtOnce),
      )
      if (deleted === 0) break
    }
  }

  #deleteJourneys(which: string, ...values: number[]): number {
    const journeys = this.#sql.all<readonly [number]>(which, ...values)
    for (const [journey] of journeys) {
      this.#sql.run('DELETE FROM entry WHERE journey = ?', journey)
      this.#sql.run('DELETE FROM found WHERE journey = ?', journey)
      this.#sql.run('DELETE FROM journey WHERE journey = ?', journey)
    }
    return journeys.length
  }

  #inPieces(remove: () => number): void {
    while (this.#transaction(remove) >= deletedAtOnce);
  }

  /** Of pages in use. */
  #octets(): number {
    const of = (name: string) => Number(this.#sql.get(`PRAGMA ${name}`)?.[0])
    return (of('page_count') - of('freelist_count')) * of('page_size')
  }

  #transaction<Result>(work: () => Result): Result {
    this.#sql.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#sql.exec('COMMIT')
      return result
    } catch (error) {
      try {
        this.#sql.exec('ROLLBACK')
      } catch {
        // SQLite has ended it by itself.
      }
      throw error
    }
  }
}

function keysOfQuery(query: JourneyQuery): [string, string][] {
  const keys: [string, string][] = []
  if (query.link !== undefined) keys.push(['link', linkText(query.link)])
  if (query.queueId !== undefined) keys.push(['queueId', String(query.queueId)])
  if (query.messageId !== undefined) keys.push(['messageId', query.messageId])
  if (query.recipient !== undefined) keys.push(['recipient', query.recipient.toLowerCase()])
  if (query.reversePath !== undefined) keys.push(['reversePath', query.reversePath.toLowerCase()])
  if (query.accountId !== undefined) keys.push(['account', String(query.accountId)])
  return keys
}
