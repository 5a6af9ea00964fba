import { statSync } from 'node:fs'
import type { Sql } from './database.ts'

/** 16 MB of write-ahead log; at 4 times that many octets it is also cut, docs/decisions/010 and storage.md §1.5. */
const passivePages = 4_000
const truncateOctets = 64 * 1024 * 1024
/** Its header says so. */
const pageOctets = 4_096 + 24

/** Brings the write-ahead log back into the tables: between batches, and when there is nothing else to do. */
export class Checkpoints {
  readonly #sql: Sql
  readonly #walFile: string
  #pagesBefore = 0
  #batches = 0

  constructor(sql: Sql, walFile: string) {
    this.#sql = sql
    this.#walFile = walFile
  }

  afterCommit(): void {
    // The size of a log that is being overwritten from its start does not grow: asking SQLite costs 2 µs, every 8th time.
    if (++this.#batches % 8 !== 0) return
    const octets = this.#walOctets()
    const pages = octets / pageOctets
    if (octets > truncateOctets) {
      this.#run('TRUNCATE')
      this.#pagesBefore = 0
    } else if (pages - this.#pagesBefore > passivePages) {
      this.#run('PASSIVE')
      this.#pagesBefore = pages
    }
  }

  whenIdle(): void {
    if (this.#walOctets() === 0) return
    this.#run('TRUNCATE')
    this.#pagesBefore = 0
  }

  /** A checkpoint that fails (the disk is full) is made up for by the next one; the log holds everything meanwhile. */
  #run(mode: 'PASSIVE' | 'TRUNCATE'): void {
    try {
      this.#sql.all(`PRAGMA wal_checkpoint(${mode})`)
    } catch {
      return
    }
  }

  #walOctets(): number {
    return statSync(this.#walFile, { throwIfNoEntry: false })?.size ?? 0
  }
}
