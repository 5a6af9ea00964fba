/**
 * The file of the index, fts.db: which message holds which terms. It can be made anew from the messages at any time, so
 * it is not backed up, is written without waiting for the disk, and is deleted when anything about it is odd.
 */
import { rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Sql, type Value } from '../sqlite/database.ts'
import { Blocks, blockTables, type Present } from './blocks.ts'
import { Vocabulary } from './vocabulary.ts'

/** Grows when terms are made otherwise. Unicode's own tables come with Node and are part of it too. */
const version = `4 unicode ${process.versions['unicode']}`

// Only this thread has it open, and pages that are new, as nearly all are, need no journal: they are written once.
const tables = `
  PRAGMA journal_mode = TRUNCATE;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -4000;
  BEGIN;
  CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  -- The vocabulary in pieces, as it grew.
  CREATE TABLE IF NOT EXISTS words (piece INTEGER PRIMARY KEY, entries BLOB NOT NULL);
  -- Row ids (2^32 * account + email) of messages of which the index does not say everything.
  CREATE TABLE IF NOT EXISTS partial (message INTEGER PRIMARY KEY);
  ${blockTables}
  COMMIT;
`

const accountFactor = 2 ** 32

export function rowOf(accountId: number, emailId: number): number {
  return accountId * accountFactor + emailId
}

export interface IndexBounds {
  /** Of the list of words, which is in memory; further words are found by pairs of characters. */
  readonly vocabularyOctets: number
  /** Chars of text in one message; one with more is looked into when it is searched. */
  readonly messageChars: number
  /** Of a block: so many messages are read again after the process was killed. At most 60,000. */
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
  /** Row ids, see `rowOf`; and those of the open block that are not in the file yet. */
  readonly partial: Set<number>
  #newPartial: number[] = []
  /** Emails up to this one are in the index, or were gone when their turn came. */
  highWater: number
  #savedEmail: number
  #mark: string

  /** @throws {Error} The file is damaged, or of another version. */
  constructor(file: string, seed: number, classes: Uint8Array, bounds: IndexBounds = indexBounds) {
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
      this.#savedEmail = this.highWater
      this.#mark = String(this.#state('mark') ?? '')
      this.vocabulary = new Vocabulary(seed, classes)
      this.blocks = new Blocks(this.sql, bounds.blockMessages)
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
    return this.#mark
  }

  /** Messages that have not gone. */
  get messages(): number {
    return this.blocks.messages
  }

  /** The message that was begun last needs to be looked into. */
  addPartial(row: number): void {
    this.partial.add(row)
    this.#newPartial.push(row)
  }

  /** Writes the open block if it is full. @param highWater All emails up to this one are in blocks, or were gone. */
  advance(highWater: number, mark: string): void {
    this.highWater = highWater
    this.#mark = mark
    if (this.blocks.open.full) this.#write(false)
  }

  /** Keeps the open block, which otherwise would have to be made anew. */
  save(): void {
    if (this.#savedEmail !== this.highWater) this.#write(true)
  }

  /** Forgets messages of one block that have gone. @returns The block's last email; null after the last block. */
  forget(after: number, present: Present): number | null {
    let last: number | null = null
    let gone: number[] = []
    this.transaction(() => {
      last = this.blocks.forget(after, present)
      gone = this.#partialGone(after, last ?? this.highWater, present)
      for (const row of gone) this.sql.run('DELETE FROM partial WHERE message = ?', row)
    })
    for (const row of gone) this.partial.delete(row)
    return last
  }

  get octets(): number {
    return statSync(this.file, { throwIfNoEntry: false })?.size ?? 0
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

  #partialGone(after: number, last: number, present: Present): number[] {
    const emailOf = (row: number) => row % accountFactor
    const rows = [...this.partial].filter((row) => emailOf(row) > after && emailOf(row) <= last)
    if (rows.length === 0) return []
    const emails = present(after + 1, last)
    return rows.filter((row) => !emails.has(emailOf(row)))
  }

  #write(open: boolean): void {
    let written = (): void => {}
    this.transaction(() => {
      written = this.blocks.write(open)
      for (const row of this.#newPartial) this.sql.run('INSERT OR IGNORE INTO partial VALUES (?)', row)
      const entries = this.vocabulary.takeUnsaved()
      if (entries !== null) this.sql.run('INSERT INTO words VALUES (NULL, ?)', entries)
      this.#setState('highWater', this.highWater)
      this.#setState('words', this.vocabulary.count)
      this.#setState('mark', this.#mark)
    })
    written()
    this.#newPartial = []
    this.#savedEmail = this.highWater
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
