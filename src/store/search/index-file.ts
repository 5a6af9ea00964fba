/**
 * The file of the index, fts.db: which message holds which terms. It can be made anew from the messages at any time, so
 * it is not backed up, is written without waiting for the disk, and is deleted when anything about it is odd.
 */
import { rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Sql, type Value } from '../sqlite/database.ts'
import { Blocks, blockTables, type OpaqueBlock } from './blocks.ts'
import { Vocabulary } from './vocabulary.ts'

/** Grows when terms are made otherwise. Unicode's own tables come with Node and are part of it too. */
const version = `3 unicode ${process.versions['unicode']}`

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
  ${blockTables}
  -- More segments before they are merged: a message's terms are written half as often.
  INSERT INTO terms (terms, rank) VALUES ('automerge', 8);
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

export interface IndexBounds {
  /** Of the list of words, which is in memory; further words are found by pairs of characters. */
  readonly vocabularyOctets: number
  /** Chars of text in one message; one with more is looked into when it is searched. */
  readonly messageChars: number
  /** Of a block of opaque words: so many messages are read again when the store is opened. At most 60,000. */
  readonly blockMessages: number
}

export const indexBounds: IndexBounds = {
  vocabularyOctets: 16 * 1_048_576,
  messageChars: 1_048_576,
  blockMessages: 2_048,
}

export class IndexFile {
  readonly bounds: IndexBounds
  readonly file: string
  readonly sql: Sql
  readonly vocabulary: Vocabulary
  readonly blocks: Blocks
  /** Row ids, see `rowOf`. */
  readonly partial: Set<number>
  /** Emails up to this one are in the index, or were gone when their turn came. */
  highWater: number
  /** Up to here the open block of opaque words is complete: not at once after the process was killed. */
  searchable: number
  messages: number
  #savedEmail: number

  /** @throws {Error} The file is damaged, or of another version. */
  constructor(file: string, seed: number, bounds: IndexBounds = indexBounds) {
    this.file = file
    this.bounds = bounds
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
      this.blocks = new Blocks(this.sql, bounds.blockMessages)
      this.searchable = this.blocks.load(this.highWater)
      this.#savedEmail = this.searchable
      for (const [entries] of this.sql.all<readonly [Uint8Array]>('SELECT entries FROM words ORDER BY piece'))
        this.vocabulary.load(entries)
      if (this.vocabulary.count !== Number(this.#state('words') ?? 0)) throw new Error('words are missing')
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
    let sealed: (() => void) | null = null
    this.transaction(() => {
      for (const { row, terms, complete } of sorted) {
        this.sql.run('INSERT INTO terms (rowid, found) VALUES (?, ?)', row, terms)
        if (!complete) this.sql.run('INSERT OR IGNORE INTO partial VALUES (?)', row)
      }
      const entries = this.vocabulary.takeUnsaved()
      if (entries !== null) this.sql.run('INSERT INTO words VALUES (NULL, ?)', entries)
      this.#setState('highWater', highWater)
      this.#setState('words', this.vocabulary.count)
      this.#setState('messages', this.messages + messages.length)
      this.#setState('mark', mark)
      if (this.blocks.open.full) sealed = this.blocks.seal()
    })
    ;(sealed as (() => void) | null)?.()
    for (const { row, complete } of messages) if (!complete) this.partial.add(row)
    this.highWater = highWater
    this.searchable = highWater
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

  /** Blocks of opaque words with some of these emails, which ascend. */
  blocksOf(emails: Float64Array): Generator<OpaqueBlock, void> {
    return this.blocks.of(emails)
  }

  /** Row ids of messages in the index. */
  rowsAfter(row: number, limit: number): number[] {
    // A table of FTS5's own, with a row for each document.
    const rows = this.sql.all<readonly [number]>(
      'SELECT id FROM terms_docsize WHERE id > ? ORDER BY id LIMIT ?',
      row,
      limit,
    )
    return rows.map(([id]) => id)
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

  /** Keeps the open block, which otherwise would have to be made anew. */
  save(): void {
    if (this.#savedEmail === this.searchable) return
    this.transaction(() => this.blocks.save(this.searchable))
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

/** Whether an index may lack messages. @param lastEmail Highest number of an email that was given out. */
export function isBehind(file: string, lastEmail: number): boolean {
  if (lastEmail === 0) return false
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      const row = db.prepare("SELECT value FROM state WHERE name = 'highWater'").get()
      return Number(row?.['value'] ?? 0) < lastEmail
    } finally {
      db.close()
    }
  } catch {
    // It is not there, or damaged.
    return true
  }
}

export function removeIndexFile(file: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true })
}
