/** The file of the journeys: what is written to it, found in it and cleared out of it. Worker thread only, docs/decisions/275. */
import { DatabaseSync } from 'node:sqlite'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Journey, JourneyFacts, JourneyQuery } from '../../journey/event.ts'
import { Sql } from '../sqlite/database.ts'
import type { PackedBatch } from './gathered-entries.ts'
import { columnOfHeads, journeyPragmas, journeyTables } from './journey-tables.ts'
import { journeyVersion, versionWithFactsInRows } from './journey-tables.ts'
import { KeyIndex } from './key-index.ts'
import { answers, type Key, keysOfQuery, keysToBe, wasStrangerRefused } from './keys.ts'
import { mergeFacts } from './merge-facts.ts'
import { hasOldForm, readOld, setOldApart, oldVersion } from './old-form.ts'
import { eventsByJourney, headsOf, linesByJourney } from './packed-batch.ts'
import type { Head, PackedEvent, PlacedEvent } from './packed-batch.ts'
import type { JourneyThreadData } from './protocol.ts'

const zstdParams = { [constants.ZSTD_c_compressionLevel]: 1 }
/** Batches that are deleted in one transaction; a batch has 256 KB at most. */
const deletedAtOnce = 10
/** Journeys looked at in one step of a search. */
const lookedAtOnce = 200
/** Batches kept unpacked while a search goes on: journeys that follow each other lie in the same few. */
const unpackedMax = 8
/** What the file is brought down to once it is over its bound. */
const lowWater = 0.9

type JourneyRow = readonly [journey: number, id: string, startedAt: number, batches: string, facts: string]
type BatchRow = readonly [batch: number, firstJourney: number, lastJourney: number]
type Heads = ReadonlyMap<string, Head>
/** A batch's events by journey. */
type Events = ReadonlyMap<string, readonly PackedEvent[]>

export class JourneyBase {
  readonly #sql: Sql
  readonly #data: JourneyThreadData
  readonly #keys: KeyIndex
  #lastJourney = 0
  #lastBatch = 0

  /** @throws {Error} The file is damaged, or of another version. */
  constructor(file: string, data: JourneyThreadData) {
    const db = new DatabaseSync(file, { timeout: 1_000 })
    this.#sql = new Sql(db)
    this.#data = data
    try {
      const version = Number(this.#sql.get('PRAGMA user_version')?.[0])
      if (![0, oldVersion, versionWithFactsInRows, journeyVersion].includes(version))
        throw new Error(`file is not a database of ours: ${version}`)
      db.exec(journeyPragmas)
      this.#transaction(() => {
        if (version === oldVersion) setOldApart(this.#sql)
        if (version === versionWithFactsInRows) db.exec(columnOfHeads)
        db.exec(journeyTables)
      })
      this.#keys = new KeyIndex(this.#sql)
      const [inBatches, lastBatch] = this.#sql.get<readonly [number, number]>(
        'SELECT coalesce(max(last_journey), 0), coalesce(max(batch), 0) FROM batch',
      )!
      const [journeys] = this.#sql.get<readonly [number]>('SELECT coalesce(max(journey), 0) FROM journey')!
      this.#lastJourney = Math.max(inBatches, journeys)
      this.#lastBatch = lastBatch
      this.#takeOver()
    } catch (error) {
      db.close()
      throw error
    }
  }

  append(batch: PackedBatch): void {
    this.#transaction(() => this.#keep(batch))
    this.#sortKeys()
    if (this.#octets() > this.#data.fileOctets) this.#shrink()
  }

  /** @returns Each as JSON, the newest first. */
  find(query: JourneyQuery): string[] {
    const asked = keysOfQuery(query)
    const limit = Math.min(Math.max(query.limit, 1), 1_000)
    const found: string[] = []
    const unpacked = new Unpacked(this.#sql)
    for (const [, journeyId, startedAt, batchNumbers, known] of this.#candidates(query.journeyId, asked[0])) {
      const batches = batchNumbers.split(' ')
      const facts = unpacked.factsOf(journeyId, batches, known)
      if (!answers(facts, asked)) continue
      if (query.refused === false && wasStrangerRefused(facts)) continue
      const events = unpacked.eventsOf(journeyId, batches)
      found.push(JSON.stringify({ journeyId, startedAt, facts, events } satisfies Journey))
      if (found.length === limit) break
    }
    return found
  }

  /** The newest first; with a first key those that may have it. */
  *#candidates(journeyId: string | undefined, first: Key | undefined): Generator<JourneyRow> {
    if (journeyId !== undefined) {
      yield* this.#sql.all<JourneyRow>('SELECT * FROM journey WHERE id = ?', journeyId)
    } else if (first !== undefined) {
      for (const journey of this.#keys.journeysOf(first))
        yield* this.#sql.all<JourneyRow>('SELECT * FROM journey WHERE journey = ?', journey)
    } else {
      for (let before = Number.MAX_SAFE_INTEGER; ; ) {
        const rows = this.#sql.all<JourneyRow>(
          `SELECT * FROM journey WHERE journey < ? ORDER BY journey DESC LIMIT ${lookedAtOnce}`,
          before,
        )
        yield* rows
        if (rows.length < lookedAtOnce) return
        before = rows.at(-1)![0]
      }
    }
  }

  /** Deletes what is older than it may be, in pieces. */
  expire(nowMs: number): void {
    const oldWire = nowMs - this.#data.wireMs
    const wire = () =>
      this.#sql.run(
        'DELETE FROM wire WHERE batch IN (SELECT batch FROM wire WHERE at < ? LIMIT ?)',
        ...[oldWire, deletedAtOnce],
      )
    while (this.#transaction(wire) > 0);
    const old = 'SELECT batch, first_journey, last_journey FROM batch WHERE at < ? LIMIT ?'
    while (this.#deleteBatches(old, nowMs - this.#data.factsMs, deletedAtOnce) > 0);
    this.#sql.exec('PRAGMA incremental_vacuum(2000)')
    this.#sql.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  close(): void {
    this.#sql.close()
  }

  #keep(batch: PackedBatch): void {
    const number = ++this.#lastBatch
    const firstJourney = this.#lastJourney + 1
    for (const [journeyId, head] of headsOf(textOf(batch.heads))) this.#keepHead(journeyId, head, number)
    this.#sql.run(
      'INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?)',
      ...[
        number,
        batch.at,
        firstJourney,
        this.#lastJourney,
        compressed(batch.events),
        compressed(batch.heads),
      ],
    )
    if (batch.wire.length > 0)
      this.#sql.run('INSERT INTO wire VALUES (?, ?, ?)', number, batch.at, compressed(batch.wire))
    this.#keys.write(number)
  }

  #keepHead(journeyId: string, { at, facts }: Head, batch: number): void {
    let journey = this.#lastJourney + 1
    const row = [journey, journeyId, at, String(batch), '']
    if (this.#sql.run('INSERT OR IGNORE INTO journey VALUES (?, ?, ?, ?, ?)', ...row) > 0)
      this.#lastJourney = journey
    else journey = this.#addTo(journeyId, at, batch)
    for (const text of facts) this.#keys.add(journey, keysToBe(parseFacts(text)))
  }

  /** @returns The number of the journey. */
  #addTo(journeyId: string, at: number, batch: number): number {
    const [journey] = this.#sql.get<readonly [number]>(
      `UPDATE journey SET started_at = min(started_at, ?), batches = trim(batches || ' ' || ?)
        WHERE id = ? RETURNING journey`,
      ...[at, batch, journeyId],
    )!
    return journey
  }

  #sortKeys(): void {
    if (this.#keys.isFull) this.#transaction(() => this.#keys.sortIn(this.#lastBatch))()
  }

  /** What a file of the version before holds, in pieces: a crash between two of them loses and doubles nothing. */
  #takeOver(): void {
    if (!hasOldForm(this.#sql)) return
    const next = () => {
      const batch = readOld(this.#sql)
      if (batch !== null) this.#keep(batch)
      return batch !== null
    }
    while (this.#transaction(next)) this.#sortKeys()
  }

  #shrink(): void {
    const target = this.#data.fileOctets * lowWater
    const oldest = 'SELECT batch, first_journey, last_journey FROM batch ORDER BY batch LIMIT ?'
    while (this.#octets() > target && this.#deleteBatches(oldest, deletedAtOnce) > 0);
  }

  #deleteBatches(which: string, ...values: number[]): number {
    return this.#transaction(() => {
      const batches = this.#sql.all<BatchRow>(which, ...values)
      if (batches.length === 0) return 0
      for (const [batch, firstJourney, lastJourney] of batches) {
        this.#sql.run('DELETE FROM journey WHERE journey BETWEEN ? AND ?', firstJourney, lastJourney)
        this.#sql.run('DELETE FROM wire WHERE batch = ?', batch)
        this.#sql.run('DELETE FROM batch WHERE batch = ?', batch)
      }
      const [oldest] = this.#sql.get<readonly [number | null]>('SELECT min(batch) FROM batch')!
      this.#keys.forgetBefore(oldest ?? this.#lastBatch + 1)
      return batches.length
    })
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

/** Batches as they are read, the last few of them kept. */
class Unpacked {
  readonly #sql: Sql
  #heads = new Map<string, Heads>()
  #events = new Map<string, Events>()

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** @param known JSON; '' for nothing. */
  factsOf(journeyId: string, batches: readonly string[], known: string): JourneyFacts {
    let facts = known === '' ? {} : parseFacts(known)
    for (const batch of batches) {
      const head = this.#cached(this.#heads, batch, () => this.#headsIn(batch)).get(journeyId)
      for (const text of head?.facts ?? []) facts = mergeFacts(facts, parseFacts(text))
    }
    return facts
  }

  /** By their time; those of one millisecond as they came. */
  eventsOf(journeyId: string, batches: readonly string[]): Journey['events'] {
    const placed = batches.flatMap((batch, at) => {
      const events = this.#cached(this.#events, batch, () => this.#eventsIn(batch)).get(journeyId) ?? []
      return events.flatMap(unlessDamaged).map(({ place, event }) => ({ at, place, event }))
    })
    placed.sort((a, b) => a.event.at - b.event.at || a.at - b.at || a.place - b.place)
    return placed.map(({ event }) => event)
  }

  #headsIn(batch: string): Heads {
    const [heads] = this.#sql.get<readonly [Uint8Array | null]>(
      'SELECT heads FROM batch WHERE batch = ?',
      Number(batch),
    ) ?? [null]
    try {
      return heads === null ? new Map() : headsOf(decompressed(heads))
    } catch {
      // It is damaged: what else is known of its journeys is shown.
      return new Map()
    }
  }

  #eventsIn(batch: string): Events {
    const events = new Map<string, PackedEvent[]>()
    const texts = this.#sql.all<readonly [number, string | Uint8Array]>(
      `SELECT heads IS NULL, events FROM batch WHERE batch = ?1
        UNION ALL SELECT heads IS NULL, wire.events FROM wire JOIN batch USING (batch) WHERE batch = ?1`,
      Number(batch),
    )
    for (const [isOld, text] of texts) {
      try {
        if (isOld === 1) linesByJourney(decompressed(text), events)
        else eventsByJourney(decompressed(text), events)
      } catch {
        // As above.
      }
    }
    return events
  }

  #cached<Item>(cache: Map<string, Item>, batch: string, make: () => Item): Item {
    const known = cache.get(batch)
    if (known !== undefined) return known
    if (cache.size >= unpackedMax) cache.clear()
    const made = make()
    cache.set(batch, made)
    return made
  }
}

function unlessDamaged(event: PackedEvent): readonly PlacedEvent[] {
  try {
    return event()
  } catch {
    return []
  }
}

function parseFacts(text: string): JourneyFacts {
  return JSON.parse(text) as JourneyFacts
}

function compressed(octets: Uint8Array): Uint8Array {
  // Told how much it will be, it takes less memory, and half the time.
  return zstdCompressSync(octets, { params: zstdParams, pledgedSrcSize: octets.length })
}

function decompressed(kept: string | Uint8Array): string {
  return typeof kept === 'string' ? kept : textOf(zstdDecompressSync(kept))
}

function textOf(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('utf8')
}
