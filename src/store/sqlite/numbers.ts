import type { Sql } from './database.ts'

type Name = 'email' | 'blob'

/** The last ones that were given out. */
export type NumbersGiven = Readonly<Record<Name, number>>

/**
 * The shard's own numbers, given out from memory and written once a batch: two statements for each delivery would cost
 * more than its rows. A number that was given out in a transaction that failed is not used again.
 */
export class Numbers {
  readonly #sql: Sql
  readonly #last: Record<Name, number>
  #changed = false

  constructor(sql: Sql) {
    this.#sql = sql
    const last = (name: Name) => Number(sql.get('SELECT value FROM counter WHERE name = ?', name)?.[0] ?? 0)
    this.#last = { email: last('email'), blob: last('blob') }
  }

  next(name: Name): number {
    this.#changed = true
    return ++this.#last[name]
  }

  get given(): NumbersGiven {
    return { ...this.#last }
  }

  /** Goes on behind numbers that were given out when a call was done for the first time. */
  resume({ email, blob }: NumbersGiven): void {
    this.#last.email = email
    this.#last.blob = blob
    this.#changed = true
  }

  /** Never gives out these, or those before them. */
  skip({ email, blob }: NumbersGiven): void {
    this.resume({ email: Math.max(this.#last.email, email), blob: Math.max(this.#last.blob, blob) })
  }

  /** Belongs before each commit. */
  note(): void {
    if (!this.#changed) return
    this.#changed = false
    this.#sql.run("UPDATE counter SET value = ? WHERE name = 'email'", this.#last.email)
    this.#sql.run("UPDATE counter SET value = ? WHERE name = 'blob'", this.#last.blob)
  }

  /** The transaction that noted them was undone. */
  forgetNote(): void {
    this.#changed = true
  }
}
