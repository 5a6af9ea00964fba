import type { Sql } from './database.ts'

/**
 * Counts the batches that left no record because their commit was synced. Each record says how many came before it: so
 * tables of an older copy, which lack one of them, are told from those that lost only what the records hold.
 */
export class Unrecorded {
  readonly #sql: Sql
  #count: number
  #noted = false

  constructor(sql: Sql) {
    this.#sql = sql
    this.#count = Number(sql.get("SELECT value FROM counter WHERE name = 'unrecorded'")?.[0] ?? 0)
  }

  get count(): number {
    return this.#count
  }

  /** Belongs before the commit of such a batch. */
  note(): void {
    this.#noted = true
    this.#sql.run("INSERT OR REPLACE INTO counter VALUES ('unrecorded', ?)", this.#count + 1)
  }

  committed(): void {
    if (this.#noted) this.#count++
    this.#noted = false
  }

  undone(): void {
    this.#noted = false
  }
}
