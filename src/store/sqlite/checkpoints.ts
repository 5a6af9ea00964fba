import type { Sql } from './database.ts'
import { isSyncFailure } from './disk-failure.ts'

/**
 * Calls after which the write-ahead log is brought back into the tables: about 4,000 pages (16 MB) of deliveries.
 * Rarer ones cost 3 % less and hold up a batch for longer, storage.md §1.5.
 */
const callsBetween = 500
/** Pages of a log that did not begin anew because a reader held it: 64 MB. Then it is cut, which waits for readers. */
const pagesMax = 16_000

/** Brings the write-ahead log back into the tables: between batches, and when there is nothing else to do. */
export class Checkpoints {
  readonly #sql: Sql
  #calls = 0
  #written = true
  #failure: Error | null = null

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** A sync of the tables failed: nothing that it should have put on the disk is sure to be there, unsynced-log.ts. */
  get failure(): Error | null {
    return this.#failure
  }

  /**
   * @param calls How many the commit held.
   * @param beingRead Somebody reads the tables for long, as a backup does: waiting for them would only hold up mail.
   */
  afterCommit(calls: number, beingRead: boolean): void {
    this.#written = true
    this.#calls += calls
    if (this.#calls < callsBetween) return
    this.#calls = 0
    if (this.#run('PASSIVE') > pagesMax && !beingRead) this.#run('TRUNCATE')
  }

  /**
   * A commit failed. What of it got into the log, whole perhaps, is not to be found there at the next start: who asked for
   * it was refused. So the log is cut, and a disk that is full has its room back; after a failed sync, which must not be
   * followed by another one, it is overwritten.
   */
  afterFailure(error: unknown): void {
    if (isSyncFailure(error)) this.#failure = error as Error
    this.#run('TRUNCATE')
    if (this.#failure !== null) this.#overwrite()
  }

  /** The log begins anew in the room that it has: a disk that is full gives it no more. */
  reuseLog(): void {
    this.#run('PASSIVE')
  }

  whenIdle(): void {
    if (!this.#written) return
    this.#calls = 0
    this.#written = this.#run('TRUNCATE') > 0
  }

  /**
   * One that fails (the disk is full) is made up for by the next; the log holds everything meanwhile.
   *
   * @returns Pages that were in the log; 0 when it was cut.
   */
  #run(mode: 'PASSIVE' | 'TRUNCATE'): number {
    if (this.#failure !== null) return 1
    try {
      return Number(this.#sql.get(`PRAGMA wal_checkpoint(${mode})`)?.[1] ?? 0)
    } catch (error) {
      if (isSyncFailure(error)) this.#failure = error as Error
      return 1
    }
  }

  /** The next commit takes the place of the one that failed. This one changes nothing else, and is not synced. */
  #overwrite(): void {
    try {
      this.#sql.exec('PRAGMA synchronous = OFF; BEGIN IMMEDIATE')
      this.#sql.run(
        "INSERT INTO counter VALUES ('overwritten', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
      )
      this.#sql.exec('COMMIT')
    } catch {
      // The disk takes nothing: the letters of that commit may come twice.
    }
  }
}
