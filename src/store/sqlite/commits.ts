/**
 * When the tables are committed. A batch is done when its record is on the disk; a commit lets others read it, and costs two
 * writes for each page. So while much is asked and nobody reads, several batches share one transaction, in which a page
 * that each of them changes is written once: docs/decisions/294. Who wants to read says so, and is given a commit first.
 *
 * A transaction that cannot be committed takes batches along that were answered. They are recorded: the tables are behind
 * until these are done again.
 */
import type { Sql } from './database.ts'
import type { Numbers } from './numbers.ts'
import type { Segments } from './segments.ts'

/** Calls in a second from which on batches share commits: below it nothing is gained that somebody could notice. */
export const busyCalls = 200
/** At most so many share one: this is also what the next start does again after the program was killed. */
const callsMax = 128
const openMaxMs = 100
const secondMs = 1_000

export class Commits {
  readonly #sql: Sql
  readonly #numbers: Numbers
  readonly #segments: Segments
  readonly #busyCalls: number
  /** Whether commits are synced. */
  #synced = true
  #open = false
  #openedAt = 0
  /** Calls that are recorded and not committed. */
  #pending = 0
  #behind = false
  #secondBegan = 0
  #callsOfSecond = 0
  #callsBefore = 0

  constructor(sql: Sql, numbers: Numbers, segments: Segments, busyCallsASecond: number) {
    this.#sql = sql
    this.#numbers = numbers
    this.#segments = segments
    this.#busyCalls = busyCallsASecond
  }

  /** Calls that were answered and that nobody can read yet. */
  get pending(): number {
    return this.#pending
  }

  /** What was answered must be done again before anything else is done. */
  get behind(): boolean {
    return this.#behind
  }

  get isOpen(): boolean {
    return this.#open
  }

  caughtUp(): void {
    this.#behind = false
  }

  /** Begins a transaction, or goes on with the one there is. @param synced Whether its commit is. */
  begin(synced: boolean, nowMs: number): void {
    if (this.#open) return
    if (this.#synced !== synced) {
      this.#sql.exec(synced ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL')
      this.#synced = synced
    }
    this.#sql.run('BEGIN IMMEDIATE')
    this.#open = true
    this.#openedAt = nowMs
  }

  /**
   * @param calls Of a batch that is recorded.
   * @returns Whether its commit can wait for the next one's.
   */
  mayWait(calls: number, nowMs: number): boolean {
    if (nowMs - this.#secondBegan >= secondMs) {
      this.#callsBefore = nowMs - this.#secondBegan < 2 * secondMs ? this.#callsOfSecond : 0
      this.#callsOfSecond = 0
      this.#secondBegan = nowMs
    }
    this.#callsOfSecond += calls
    const isBusy = Math.max(this.#callsOfSecond, this.#callsBefore) >= this.#busyCalls
    return isBusy && calls > 0 && this.#pending + calls < callsMax && nowMs - this.#openedAt < openMaxMs
  }

  /** The batch stays in the transaction. */
  wait(calls: number): void {
    this.#pending += calls
  }

  /**
   * @returns How many calls had waited for it.
   * @throws {Error} The disk's own: nothing is committed, and the caller undoes the transaction.
   */
  commit(): number {
    this.#numbers.note()
    this.#segments.note()
    this.#sql.exec('COMMIT')
    this.#open = false
    const waited = this.#pending
    this.#pending = 0
    return waited
  }

  undo(): void {
    this.#numbers.forgetNote()
    if (this.#pending > 0) this.#behind = true
    this.#pending = 0
    this.#open = false
    try {
      this.#sql.exec('ROLLBACK')
    } catch {
      // SQLite has already undone it, as it does when the disk is full.
    }
  }
}
