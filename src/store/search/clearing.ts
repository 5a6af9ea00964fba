/**
 * Takes messages out of the index that are gone, a piece at a time. What is expunged is garbage for some minutes before
 * it is removed: what garbage names is suspect, and a suspect that is not there any more has gone.
 */
import type { Sql } from '../sqlite/database.ts'
import type { Indexer } from './indexer.ts'

const rowsAtOnce = 500
/** Longer than anything stays garbage: a suspect that is there after it lies in another mailbox too. */
const suspectMs = 30 * 60_000

export class Clearing {
  readonly #meta: Sql
  readonly #nowMs: number
  #garbage = 0
  /** Within a deleted mailbox. */
  #uid = 0
  #suspect = 0
  #reading = true

  constructor(meta: Sql, nowMs: number) {
    this.#meta = meta
    this.#nowMs = nowMs
  }

  /** @returns Whether there is more. */
  step(indexer: Indexer): boolean {
    if (this.#reading) {
      const emails = this.#nextGarbage()
      if (emails !== null) {
        if (emails.length > 0) indexer.suspect(emails, this.#nowMs)
        return true
      }
      this.#reading = false
    }
    const { last, more } = indexer.removeGone(this.#nowMs - suspectMs, rowsAtOnce, this.#suspect)
    this.#suspect = last
    return more
  }

  /** Accounts and emails; null at the end. */
  #nextGarbage(): (readonly [number, number])[] | null {
    const rows = this.#meta.all<readonly [number, number, number, number, number]>(
      'SELECT garbage, account, mailbox, uid, email FROM garbage WHERE garbage > ? ORDER BY garbage LIMIT ?',
      this.#garbage,
      rowsAtOnce,
    )
    if (rows.length === 0) return null
    const emails: (readonly [number, number])[] = []
    for (const [garbage, account, mailbox, uid, email] of rows) {
      if (uid > 0) emails.push([account, email])
      else if (mailbox > 0) {
        const some = this.#ofMailbox(account, mailbox)
        emails.push(...some)
        // The rest of this mailbox comes with the next step.
        if (some.length === rowsAtOnce) return emails
      }
      this.#garbage = garbage
      this.#uid = 0
    }
    return emails
  }

  #ofMailbox(account: number, mailbox: number): (readonly [number, number])[] {
    const rows = this.#meta.all<readonly [number, number]>(
      'SELECT uid, email FROM message WHERE account = ? AND mailbox = ? AND uid > ? ORDER BY uid LIMIT ?',
      account,
      mailbox,
      this.#uid,
      rowsAtOnce,
    )
    this.#uid = rows.at(-1)?.[0] ?? this.#uid
    return rows.map(([, email]) => [account, email] as const)
  }
}
