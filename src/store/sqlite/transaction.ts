import type { Limits } from '../../base/limits.ts'
import { AccountUnknown } from '../errors.ts'
import type { Row, Sql, Value } from './database.ts'
import type { Delta } from './delta.ts'
import type { Numbers } from './numbers.ts'

/** What an operation of the writer works with; it is committed, or as if it had never been. */
export class Transaction {
  readonly sql: Sql
  readonly numbers: Numbers
  readonly limits: Limits
  /** The store's clock when the call was made. */
  readonly nowMs: number
  readonly deltas: Delta[] = []
  /** Files below the shard's folder whose last row is gone: removed after the commit. */
  readonly unneededFiles: string[] = []
  /** Octets of bodies whose rows were removed; those that several rows share count several times. */
  freedOctets = 0
  /** How many more want files to stay that no row names. */
  keepers = 0
  /** Entries that the queue got, less those that left it. */
  queueGrowth = 0
  /** The queue got something that is due. */
  queued = false

  constructor(sql: Sql, numbers: Numbers, limits: Limits, nowMs: number) {
    this.sql = sql
    this.numbers = numbers
    this.limits = limits
    this.nowMs = nowMs
  }

  all<R extends Row = Row>(text: string, ...values: Value[]): R[] {
    return this.sql.all<R>(text, ...values)
  }

  get<R extends Row = Row>(text: string, ...values: Value[]): R | undefined {
    return this.sql.get<R>(text, ...values)
  }

  run(text: string, ...values: Value[]): number {
    return this.sql.run(text, ...values)
  }

  /**
   * The account's next number: a MODSEQ, or the id of what is made with it.
   *
   * @throws {AccountUnknown}
   */
  nextNumber(accountId: number): number {
    const row = this.get(
      'UPDATE account_state SET counter = counter + 1 WHERE account = ? RETURNING counter',
      accountId,
    )
    if (row === undefined) throw new AccountUnknown(`account ${accountId}`)
    return row[0] as number
  }

  /** A number of the whole shard, never used again. */
  nextOf(counter: 'account' | 'queue'): number {
    return this.get(
      'UPDATE counter SET value = value + 1 WHERE name = ? RETURNING value',
      counter,
    )![0] as number
  }
}
