/** The file of the journeys: what is written to it, found in it and cleared out of it. Worker thread only, docs/decisions/275. */
import { DatabaseSync } from 'node:sqlite'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Journey, JourneyFacts, JourneyQuery } from '../../journey/event.ts'
import { Sql } from '../sqlite/database.ts'
import { journeyPragmas, journeyTables, journeyVersion } from './journey-tables.ts'
import { KeyIndex } from './key-index.ts'
import { answers, type Key, keysOf, keysOfQuery, wasStrangerRefused } from './keys.ts'
import { mergeFacts } from './merge-facts.ts'
import { hasOldForm, readOld, setOldApart, oldVersion } from './old-form.ts'
import type { Head, PackedBatch } from './pack-entry.ts'
import { headsOf, linesByJourney, parseFacts, unpackEvents } from './pack-entry.ts'
import type { JourneyThreadData } from './protocol.ts'

/** Text over this is compressed. */
const compressedChars = 1_000
const zstdParams = { [constants.ZSTD_c_compressionLevel]: 1 }
/** Batches that are deleted in one transaction; a batch has 256 KB at most. */
const deletedAtOnce = 10
/** Journeys looked at in one step of a search. */
const lookedAtOnce = 200
/** Batches kept unpacked while a search goes on: the newest journeys lie in the same few. */
const unpackedMax = 8
/** What the file is brought down to once it is over its bound. */
const lowWater = 0.9

type JourneyRow = readonly [journey: number, id: string, startedAt: number, batches: string, facts: string]
type BatchRow = readonly [batch: number, firstJourney: number, lastJourney: number]
/** A batch's events by journey, still packed. */
type Lines = Map<string, string[]>

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
      if (![0, oldVersion, journeyVersion].includes(version))
        throw new Error(`file is not a database of ours: ${version}`)
      db.exec(journeyPragmas)
      this.#transaction(() => {
        if (version === oldVersion) setOldApart(this.#sql)
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
    const unpacked = new Map<string, Lines>()
    for (const [, journeyId, startedAt, batches, text] of this.#candidates(query.journeyId, asked[0])) {
      const facts = parseFacts(text)
      if (!answers(facts, asked)) continue
      if (query.refused === false && wasStrangerRefused(facts)) continue
      const events = this.#events(journeyId, batches, unpacked)
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
    for (const [journeyId, head] of headsOf(batch)) this.#keepHead(journeyId, head, number)
    this.#sql.run(
      'INSERT INTO batch VALUES (?, ?, ?, ?, ?)',
      ...[number, batch.at, firstJourney, this.#lastJourney, compressed(batch.events)],
    )
    if (batch.wire !== '')
      this.#sql.run('INSERT INTO wire VALUES (?, ?, ?)', number, batch.at, compressed(batch.wire))
    this.#keys.write(number)
  }

  #keepHead(journeyId: string, { at, hasEvents, facts }: Head, batch: number): void {
    const batches = hasEvents ? String(batch) : ''
    const added = facts.length > 1 ? facts.map(parseFacts).reduce(mergeFacts) : parseFacts(facts[0] ?? '{}')
    const text = facts.length > 1 ? JSON.stringify(added) : (facts[0] ?? '{}')
    const journey = this.#lastJourney + 1
    const row = [journey, journeyId, at, batches, text]
    if (this.#sql.run('INSERT OR IGNORE INTO journey VALUES (?, ?, ?, ?, ?)', ...row) === 0) {
      this.#addTo(journeyId, at, batches, facts.length > 0 ? added : null)
      return
    }
    this.#lastJourney = journey
    this.#keys.add(journey, keysOf(added))
  }

  #addTo(journeyId: string, at: number, batches: string, added: JourneyFacts | null): void {
    const [journey, text] = this.#sql.get<readonly [number, string]>(
      'SELECT journey, facts FROM journey WHERE id = ?',
      journeyId,
    )!
    let merged = text
    if (added !== null) {
      const old = parseFacts(text)
      const facts = mergeFacts(old, added)
      const known = new Set(keysOf(old).map((key) => key.join(' ')))
      const keys = keysOf(facts).filter((key) => !known.has(key.join(' ')))
      this.#keys.add(journey, keys)
      merged = JSON.stringify(facts)
    }
    this.#sql.run(
      `UPDATE journey SET started_at = min(started_at, ?), batches = trim(batches || ' ' || ?), facts = ?
        WHERE journey = ?`,
      ...[at, batches, merged, journey],
    )
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

  /** By their time; those of one millisecond as they came. */
  #events(journeyId: string, batches: string, unpacked: Map<string, Lines>): Journey['events'] {
    const placed = batches.split(' ').flatMap((batch, at) =>
      (this.#linesOf(batch, unpacked).get(journeyId) ?? []).flatMap((line) => {
        const { part, placed: events } = unpackEvents(line)
        return events.map(([place, event]) => ({ at, part, place, event }))
      }),
    )
    placed.sort((a, b) => a.event.at - b.event.at || a.at - b.at || a.part - b.part || a.place - b.place)
    return placed.map(({ event }) => event)
  }

  #linesOf(batch: string, unpacked: Map<string, Lines>): Lines {
    const known = unpacked.get(batch)
    if (known !== undefined) return known
    const lines: Lines = new Map()
    const texts = this.#sql.all<readonly [string | Uint8Array]>(
      'SELECT events FROM batch WHERE batch = ? UNION ALL SELECT events FROM wire WHERE batch = ?',
      ...[Number(batch), Number(batch)],
    )
    for (const [text] of texts) {
      try {
        linesByJourney(decompressed(text), lines)
      } catch {
        // It is damaged: what else is known of its journeys is shown.
      }
    }
    if (unpacked.size >= unpackedMax) unpacked.clear()
    unpacked.set(batch, lines)
    return lines
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

function compressed(text: string): string | Uint8Array {
  if (text.length <= compressedChars) return text
  const octets = Buffer.from(text)
  // Told how much it will be, it takes less memory, and half the time.
  return zstdCompressSync(octets, { params: zstdParams, pledgedSrcSize: octets.length })
}

function decompressed(text: string | Uint8Array): string {
  return typeof text === 'string' ? text : zstdDecompressSync(text).toString('utf8')
}
