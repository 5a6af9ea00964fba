import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'

export type Value = SQLInputValue
export type Row = readonly unknown[]

/** One connection with its prepared statements, kept by their text. Rows are arrays: objects cost three times more. */
export class Sql {
  readonly db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  exec(text: string): void {
    this.db.exec(text)
  }

  /** All rows, at once: `iterate` costs four times more. Keep to pages of at most 2,000 narrow or 500 wide rows. */
  all<R extends Row = Row>(text: string, ...values: Value[]): R[] {
    return this.#prepared(text).all(...values) as unknown as R[]
  }

  get<R extends Row = Row>(text: string, ...values: Value[]): R | undefined {
    return this.#prepared(text).get(...values) as unknown as R | undefined
  }

  /** @returns How many rows were changed. */
  run(text: string, ...values: Value[]): number {
    return Number(this.#prepared(text).run(...values).changes)
  }

  close(): void {
    this.#statements.clear()
    this.db.close()
  }

  #prepared(text: string): StatementSync {
    let statement = this.#statements.get(text)
    if (statement === undefined) {
      statement = this.db.prepare(text)
      statement.setReturnArrays(true)
      this.#statements.set(text, statement)
    }
    return statement
  }
}

/**
 * The one connection that writes. FULL: a commit that was answered survives a power cut (NORMAL lost 672 of 113,776); the
 * writer does without for batches it has a record of.
 */
export function openForWriting(file: string): Sql {
  const db = new DatabaseSync(file, { timeout: 200 })
  try {
    prepareForWriting(db)
  } catch (error) {
    db.close()
    throw error
  }
  return new Sql(db)
}

function prepareForWriting(db: DatabaseSync): void {
  db.exec(`
    PRAGMA page_size = 4096;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -64000;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA foreign_keys = OFF;
    PRAGMA temp_store = MEMORY;
  `)
  // SQLite silently opens what it may not write for reading; a store that refuses all mail must not look like one that runs.
  db.exec('BEGIN IMMEDIATE; CREATE TABLE writable (yes); ROLLBACK')
}

/** A connection that cannot write. Its statements must be short: one that stays open holds the write-ahead log back. */
export function openForReading(file: string): Sql {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
  db.exec(
    'PRAGMA query_only = 1; PRAGMA cache_size = -16000; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY',
  )
  return new Sql(db)
}
