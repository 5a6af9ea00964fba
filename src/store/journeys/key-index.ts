/**
 * What journeys are found by: pairs of a key's hash (keys.ts) and a journey's number. Each key lies at another end of the
 * table; put in one by one they would cost more than all the rest of a journey, and ever more as the file grows. So they
 * are gathered in the order they come, and sorted into buckets many together: one row for each bucket and time. A look-up
 * reads one bucket.
 */
import type { Sql } from '../sqlite/database.ts'
import { hashOf, type Key } from './keys.ts'

const buckets = 64
/** Pairs that are sorted in together: a bucket's row then fills most of a page. */
const sortedAtOnce = 12_000
/** Of a row in `found`: bucket times this, plus the batch it was written with. */
const bucketSpan = 2 ** 40

export class KeyIndex {
  readonly #sql: Sql
  /** Hash, journey, hash, journey, …: those that are in no bucket yet. */
  #gathered: number[] = []
  /** How many numbers of them are in `unkeyed`. */
  #written = 0

  constructor(sql: Sql) {
    this.#sql = sql
    for (const [pairs] of sql.all<readonly [Uint8Array]>('SELECT pairs FROM unkeyed ORDER BY batch'))
      for (const number of numbersIn(pairs)) this.#gathered.push(number)
    this.#written = this.#gathered.length
  }

  add(journey: number, keys: readonly Key[]): void {
    for (const key of keys) this.#gathered.push(hashOf(key), journey)
  }

  /** Writes what was added since the last call, in the transaction of its batch. */
  write(batch: number): void {
    if (this.#gathered.length === this.#written) return
    const pairs = octetsOf(this.#gathered.slice(this.#written))
    this.#sql.run('INSERT OR REPLACE INTO unkeyed VALUES (?, ?)', batch, pairs)
    this.#written = this.#gathered.length
  }

  get isFull(): boolean {
    return this.#gathered.length >= 2 * sortedAtOnce
  }

  /** In a transaction. @param batch The newest. @returns To be called when that is committed. */
  sortIn(batch: number): () => void {
    const sorted: number[][] = Array.from({ length: buckets }, () => [])
    for (let i = 0; i < this.#gathered.length; i += 2) {
      const hash = this.#gathered[i]!
      sorted[hash % buckets]!.push(hash, this.#gathered[i + 1]!)
    }
    for (const [bucket, pairs] of sorted.entries()) {
      if (pairs.length === 0) continue
      this.#sql.run('INSERT INTO found VALUES (?, ?)', bucket * bucketSpan + batch, octetsOf(pairs))
    }
    this.#sql.run('DELETE FROM unkeyed')
    return () => {
      this.#gathered = []
      this.#written = 0
    }
  }

  /** The newest first. Some may be gone, and two keys may have one hash: who asks compares the facts. */
  journeysOf(key: Key): number[] {
    const hash = hashOf(key)
    const found = new Set<number>()
    collect(this.#gathered, hash, found)
    const start = (hash % buckets) * bucketSpan
    const rows = this.#sql.all<readonly [Uint8Array]>(
      'SELECT pairs FROM found WHERE place >= ? AND place < ?',
      start,
      start + bucketSpan,
    )
    for (const [pairs] of rows) collect(numbersIn(pairs), hash, found)
    return [...found].sort((a, b) => b - a)
  }

  /** Keys that were written before the oldest batch there is are of journeys that are gone. */
  forgetBefore(batch: number): void {
    for (let start = 0; start < buckets * bucketSpan; start += bucketSpan)
      this.#sql.run('DELETE FROM found WHERE place >= ? AND place < ?', start, start + batch)
  }
}

function collect(pairs: ArrayLike<number>, hash: number, found: Set<number>): void {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === hash) found.add(pairs[i + 1]!)
}

/** In the machine's own order of octets: the file is read where it was written. */
function octetsOf(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(numbers).buffer)
}

function numbersIn(octets: Uint8Array): Float64Array {
  return new Float64Array(octets.buffer, octets.byteOffset, octets.length / 8)
}
