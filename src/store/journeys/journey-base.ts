/** The file of the journeys: what is written to it, found in it and cleared out of it. Worker thread only. */
import { DatabaseSync } from 'node:sqlite'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Journey, JourneyFacts, JourneyQuery } from '../../journey/event.ts'
import { Sql } from '../sqlite/database.ts'
import { journeyTables, journeyVersion } from './journey-tables.ts'
import { answers, hashOf, keysOf, keysOfQuery, wasStrangerRefused } from './keys.ts'
import { mergeFacts } from './merge-facts.ts'
import type { PackedEntry, PlacedEvent } from './pack-entry.ts'
import type { JourneyThreadData } from './protocol.ts'

/** Text over this is compressed: 4 times smaller, 20 µs for 4 KB. */
const compressedChars = 1_000
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }
/** Rows that are deleted in one transaction. */
const deletedAtOnce = 500
/** Journeys whose keys are put in together: in their order, so that a page of the table is written once for several. */
const keyedAtOnce = 2_000
/** Journeys looked at in one step of a search. */
const lookedAtOnce = 200
/** What the file is brought down to once it is over its bound. */
const lowWater = 0.9

export class JourneyBase {
  readonly #sql: Sql
  readonly #data: JourneyThreadData
  #unkeyed = 0
  #lastPart = 0

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
      this.#unkeyed = Number(this.#sql.get('SELECT count(*) FROM unkeyed')?.[0])
      this.#lastPart = Number(this.#sql.get('SELECT coalesce(max(entry), 0) FROM entry')?.[0])
    } catch (error) {
      db.close()
      throw error
    }
  }

  append(entries: readonly PackedEntry[]): void {
    this.#transaction(() => {
      for (const entry of entries) this.#appendOne(entry)
    })
    if (this.#unkeyed >= keyedAtOnce) this.#keepKeys()
    if (this.#octets() > this.#data.fileOctets) this.#shrink()
  }

  /** @returns Each as JSON, the newest first. */
  find(query: JourneyQuery): string[] {
    this.#keepKeys()
    const asked = keysOfQuery(query)
    const limit = Math.min(Math.max(query.limit, 1), 1_000)
    const found: string[] = []
    let before = Number.MAX_SAFE_INTEGER
    while (found.length < limit) {
      const rows = this.#candidates(query.journeyId, asked[0], before)
      for (const [journey, journeyId, startedAt, text] of rows) {
        const facts = JSON.parse(text) as JourneyFacts
        if (found.length === limit || !answers(facts, asked)) continue
        if (query.refused === false && wasStrangerRefused(facts)) continue
        const events = this.#events(journey)
        found.push(JSON.stringify({ journeyId, startedAt, facts, events } satisfies Journey))
      }
      if (rows.length < lookedAtOnce) break
      before = rows.at(-1)![0]
    }
    return found
  }

  /** The newest rows below `before` that have the first key; a hash tells no more than that they may. */
  #candidates(journeyId: string | undefined, first: readonly [string, string] | undefined, before: number) {
    const columns = 'journey.journey, id, started_at, facts'
    type Found = readonly [journey: number, id: string, startedAt: number, facts: string]
    if (journeyId !== undefined)
      return this.#sql.all<Found>(
        `SELECT ${columns} FROM journey WHERE id = ? AND journey < ?`,
        journeyId,
        before,
      )
    if (first === undefined)
      return this.#sql.all<Found>(
        `SELECT ${columns} FROM journey WHERE journey < ? ORDER BY journey DESC LIMIT ${lookedAtOnce}`,
        before,
      )
    return this.#sql.all<Found>(
      `SELECT ${columns} FROM found CROSS JOIN journey ON journey.journey = found.journey
        WHERE found.key = ? AND found.journey < ? ORDER BY found.journey DESC LIMIT ${lookedAtOnce}`,
      hashOf(first),
      before,
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
        'SELECT journey, facts FROM journey WHERE changed_at < ? LIMIT ?',
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
    const part = ++this.#lastPart
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
        ...[journeyId, at, at, facts ?? '{}'],
      )!
      if (facts !== null) this.#keyLater(journey)
      return journey
    }
    const [journey, text] = row
    const merged =
      facts === null
        ? text
        : JSON.stringify(mergeFacts(JSON.parse(text) as JourneyFacts, JSON.parse(facts) as JourneyFacts))
    this.#sql.run(
      'UPDATE journey SET facts = ?, started_at = min(started_at, ?), changed_at = max(changed_at, ?) WHERE journey = ?',
      ...[merged, at, at, journey],
    )
    if (facts !== null) this.#keyLater(journey)
    return journey
  }

  #keyLater(journey: number): void {
    this.#unkeyed += this.#sql.run('INSERT OR IGNORE INTO unkeyed VALUES (?)', journey)
  }

  /** Keys lie all over their table: put in one by one they cost more than all the rest of a journey. */
  #keepKeys(): void {
    while (this.#unkeyed > 0) {
      this.#unkeyed -= this.#transaction(() => {
        const rows = this.#sql.all<readonly [number, string]>(
          `SELECT journey, facts FROM unkeyed CROSS JOIN journey USING (journey) ORDER BY journey LIMIT ${keyedAtOnce}`,
        )
        const keys = rows.flatMap(([journey, facts]) =>
          keysOf(JSON.parse(facts) as JourneyFacts).map((key) => [hashOf(key), journey] as const),
        )
        keys.sort(([a, at], [b, bt]) => a - b || at - bt)
        for (const key of keys) this.#sql.run('INSERT OR IGNORE INTO found VALUES (?, ?)', ...key)
        return this.#sql.run(
          'DELETE FROM unkeyed WHERE journey <= ?',
          rows.at(-1)?.[0] ?? Number.MAX_SAFE_INTEGER,
        )
      })
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
        this.#deleteJourneys('SELECT journey, facts FROM journey ORDER BY changed_at LIMIT ?', deletedAtOnce),
      )
      if (deleted === 0) break
    }
  }

  #deleteJourneys(which: string, ...values: number[]): number {
    const journeys = this.#sql.all<readonly [number, string]>(which, ...values)
    for (const [journey, facts] of journeys) {
      for (const key of keysOf(JSON.parse(facts) as JourneyFacts))
        this.#sql.run('DELETE FROM found WHERE key = ? AND journey = ?', hashOf(key), journey)
      this.#unkeyed -= this.#sql.run('DELETE FROM unkeyed WHERE journey = ?', journey)
      this.#sql.run('DELETE FROM entry WHERE journey = ?', journey)
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
