/**
 * The file of the index, fts.db: which message holds which terms. It can be made anew from the messages at any time, so
 * it is not backed up, is written without waiting for the disk, and is deleted when anything about it is odd.
 */
import { rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Sql, type Value } from '../sqlite/database.ts'
import { Vocabulary } from './vocabulary.ts'

/** Grows when terms are made otherwise. Unicode's own tables come with Node and are part of it too. */
const version = `1 unicode ${process.versions['unicode']}`

const tables = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -16000;
  PRAGMA temp_store = MEMORY;
  BEGIN;
  CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  -- Row ids are 2^32 * account + email. Of each message only its terms are kept, not where in it they stand.
  CREATE VIRTUAL TABLE IF NOT EXISTS terms
    USING fts5 (found, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');
  -- The vocabulary in pieces, as it grew.
  CREATE TABLE IF NOT EXISTS words (piece INTEGER PRIMARY KEY, entries BLOB NOT NULL);
  -- Messages about which the terms do not say everything.
  CREATE TABLE IF NOT EXISTS partial (message INTEGER PRIMARY KEY);
  -- Messages that may be about to go, see clearing.ts.
  CREATE TABLE IF NOT EXISTS suspect (message INTEGER PRIMARY KEY, since INTEGER NOT NULL);
  COMMIT;
`

const accountFactor = 2 ** 32

export function rowOf(accountId: number, emailId: number): number {
  return accountId * accountFactor + emailId
}

export function emailOfRow(row: number): number {
  return row % accountFactor
}

/** One message on its way into the index. */
export interface IndexedMessage {
  readonly row: number
  readonly terms: string
  readonly complete: boolean
}

export class IndexFile {
  readonly file: string
  readonly sql: Sql
  readonly vocabulary: Vocabulary
  /** Row ids, see `rowOf`. */
  readonly partial: Set<number>
  /** Emails up to this one are in the index, or were gone when their turn came. */
  highWater: number
  messages: number

  /** @throws {Error} The file is damaged, or of another version. */
  constructor(file: string, seed: number) {
    this.file = file
    const db = new DatabaseSync(file, { timeout: 1_000 })
    this.sql = new Sql(db)
    try {
      db.exec(tables)
      const found = this.#state('version')
      if (found !== undefined && found !== version)
        throw new Error(`file is of version ${found}, not ${version}`)
      this.#setState('version', version)
      this.highWater = Number(this.#state('highWater') ?? 0)
      this.messages = Number(this.#state('messages') ?? 0)
      this.vocabulary = new Vocabulary(seed)
      for (const [entries] of this.sql.all<readonly [Uint8Array]>('SELECT entries FROM words ORDER BY piece'))
        this.vocabulary.load(entries)
      this.partial = new Set(
        this.sql.all<readonly [number]>('SELECT message FROM partial').map(([row]) => row),
      )
    } catch (error) {
      db.close()
      throw error
    }
  }

  /** What the newest message in the index was, to see whether the messages are still those that were indexed. */
  get mark(): string {
    return String(this.#state('mark') ?? '')
  }

  /**
   * Puts messages into the index, in one transaction.
   *
   * @param highWater All emails up to this one are among `messages`, or were before.
   */
  add(messages: readonly IndexedMessage[], highWater: number, mark: string): void {
    // FTS5 gathers a transaction's terms in memory only while row ids ascend.
    const sorted = messages.toSorted((a, b) => a.row - b.row)
    this.transaction(() => {
      for (const { row, terms, complete } of sorted) {
        this.sql.run('INSERT INTO terms (rowid, found) VALUES (?, ?)', row, terms)
        if (!complete) this.sql.run('INSERT OR IGNORE INTO partial VALUES (?)', row)
      }
      const entries = this.vocabulary.takeUnsaved()
      if (entries !== null) this.sql.run('INSERT INTO words VALUES (NULL, ?)', entries)
      this.#setState('highWater', highWater)
      this.#setState('messages', this.messages + messages.length)
      this.#setState('mark', mark)
    })
    for (const { row, complete } of messages) if (!complete) this.partial.add(row)
    this.highWater = highWater
    this.messages += messages.length
  }

  /** Takes messages out. */
  remove(rows: readonly number[]): void {
    let removed = 0
    this.transaction(() => {
      for (const row of rows) {
        removed += this.sql.run('DELETE FROM terms WHERE rowid = ?', row) > 0 ? 1 : 0
        this.sql.run('DELETE FROM partial WHERE message = ?', row)
      }
      this.#setState('messages', this.messages - removed)
    })
    for (const row of rows) this.partial.delete(row)
    this.messages -= removed
  }

  /** Row ids within [first, last] of messages that an expression of FTS5 matches, ascending. */
  find(expression: string, first: number, last: number): Float64Array {
    const rows = this.sql.all<readonly [number]>(
      'SELECT rowid FROM terms WHERE terms MATCH ? AND rowid BETWEEN ? AND ?',
      expression,
      first,
      last,
    )
    const found = new Float64Array(rows.length)
    for (let i = 0; i < rows.length; i++) found[i] = rows[i]![0]
    return found
  }

  get octets(): number {
    try {
      return statSync(this.file).size + (statSync(`${this.file}-wal`, { throwIfNoEntry: false })?.size ?? 0)
    } catch {
      return 0
    }
  }

  transaction(work: () => void): void {
    this.sql.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.sql.exec('COMMIT')
    } catch (error) {
      try {
        this.sql.exec('ROLLBACK')
      } catch {
        // SQLite has ended it by itself.
      }
      throw error
    }
  }

  close(): void {
    this.sql.close()
  }

  #state(name: string): unknown {
    return this.sql.get('SELECT value FROM state WHERE name = ?', name)?.[0]
  }

  #setState(name: string, value: Value): void {
    this.sql.run('INSERT OR REPLACE INTO state VALUES (?, ?)', name, value)
  }
}

export function removeIndexFile(file: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true })
}
