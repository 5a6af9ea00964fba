/**
 * The file of the index, fts.db: which message holds which terms. It can be made anew from the messages at any time, so
 * it is not backed up, is written without waiting for the disk, and is deleted when anything about it is odd.
 */
import { existsSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Sql, type Value } from '../sqlite/database.ts'
import { accountsOf, Blocks, blockTables } from './blocks.ts'
import { Vocabulary } from './vocabulary.ts'

/** Grows when terms are made otherwise. Unicode's own tables come with Node and are part of it too. */
const unicode = `unicode ${process.versions['unicode']}`
const version = `5 ${unicode}`
/** Says the same of messages, and nothing of who searches. */
const versionBefore = `4 ${unicode}`

// Only one thread has it open, and pages that are new, as nearly all are, need no journal: they are written once.
const tables = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = TRUNCATE;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -4000;
  BEGIN EXCLUSIVE;
  CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  -- Accounts that have searched, and when they did last, to the day: milliseconds since 1970.
  CREATE TABLE IF NOT EXISTS searched (account INTEGER PRIMARY KEY, at INTEGER NOT NULL);
  -- The vocabulary in pieces, as it grew.
  CREATE TABLE IF NOT EXISTS words (piece INTEGER PRIMARY KEY, entries BLOB NOT NULL);
  -- Row ids (2^32 * account + email) of messages of which the index does not say everything.
  CREATE TABLE IF NOT EXISTS partial (message INTEGER PRIMARY KEY);
  ${blockTables}
  COMMIT;
`

const accountFactor = 2 ** 32
/** When an account searches again so soon, nothing is written. */
const searchedToMs = 24 * 60 * 60_000
/** The thread before may still be writing what it had in memory. */
const lockedMs = 30_000

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

interface Newest {
  /** 0: there is none. */
  readonly emailId: number
  readonly hash: string
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
  /** Emails up to this one are in the index, whoever's they are, or were gone when their turn came. */
  #highWater: number
  /** The highest email in the index, and what its body was: to see whether the messages are still those that were indexed. */
  #newest: Newest
  #isSaved = true
  /** When accounts searched last, to the day. */
  readonly searched: ReadonlyMap<number, number>
  readonly #searched: Map<number, number>

  /** @throws {Error} The file is damaged, or of another version. */
  constructor(file: string, seed: number, classes: Uint8Array, bounds: IndexBounds = indexBounds) {
    this.file = file
    this.bounds = bounds
    const writtenAt = Math.floor(statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    const db = new DatabaseSync(file, { timeout: lockedMs })
    this.sql = new Sql(db)
    try {
      db.exec(tables)
      this.#takeVersion(writtenAt)
      this.searched = this.#searched = searchedIn(this.sql)
      this.#highWater = Number(this.#state('highWater') ?? 0)
      const [emailId, hash] = String(this.#state('mark') ?? '').split(' ')
      this.#newest = { emailId: Number(emailId), hash: hash ?? '' }
      const words = Number(this.#state('words') ?? 0)
      const octets = Number(this.sql.get('SELECT total(length(entries)) FROM words')![0])
      this.vocabulary = new Vocabulary(seed, classes, { words, octets })
      this.blocks = new Blocks(this.sql, bounds.blockMessages)
      for (const [entries] of this.sql.all<readonly [Uint8Array]>('SELECT entries FROM words ORDER BY piece'))
        this.vocabulary.load(entries)
      if (this.vocabulary.count !== words) throw new Error('words are missing')
      this.partial = new Set(
        this.sql.all<readonly [number]>('SELECT message FROM partial').map(([row]) => row),
      )
    } catch (error) {
      db.close()
      throw error
    }
  }

  get highWater(): number {
    return this.#highWater
  }

  get newest(): Newest {
    return this.#newest
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

  /**
   * Messages were put in. Writes the open block if it is full.
   *
   * @param newest The highest of them.
   * @param highWater All emails up to this one are in, or were gone; null: that is not known.
   */
  advance(newest: Newest, highWater: number | null): void {
    if (newest.emailId > this.#newest.emailId) this.#newest = newest
    if (highWater !== null) this.#highWater = highWater
    this.#isSaved = false
    if (this.blocks.open.full) this.#write(false)
  }

  /** Keeps the open block, which otherwise would have to be made anew. */
  save(): void {
    if (!this.#isSaved) this.#write(true)
  }

  /** An account has searched. @param at Milliseconds since 1970. */
  remember(account: number, at: number): void {
    const had = this.#searched.get(account)
    if (had !== undefined && at - had < searchedToMs) return
    this.sql.run('INSERT OR REPLACE INTO searched VALUES (?, ?)', account, at)
    this.#searched.set(account, at)
  }

  /** Forgets who has gone. */
  forgetSearched(isThere: (account: number) => boolean): void {
    for (const account of this.#searched.keys()) {
      if (isThere(account)) continue
      this.sql.run('DELETE FROM searched WHERE account = ?', account)
      this.#searched.delete(account)
    }
  }

  /** Forgets messages of one block that have gone. @returns The block's number; null after the last block. */
  forget(after: number, isThere: (email: number) => boolean): number | null {
    let block: number | null = null
    let gone: number[] = []
    this.transaction(() => {
      block = this.blocks.forget(after, isThere)
      if (block === null) gone = [...this.partial].filter((row) => !isThere(row % accountFactor))
      for (const row of gone) this.sql.run('DELETE FROM partial WHERE message = ?', row)
    })
    for (const row of gone) this.partial.delete(row)
    return block
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

  /** @param writtenAt When it was written last. */
  #takeVersion(writtenAt: number): void {
    const found = this.#state('version')
    if (found === version) return
    if (found !== undefined && found !== versionBefore)
      throw new Error(`file is of version ${found}, not ${version}`)
    this.transaction(() => {
      for (const account of accountsOf(this.sql))
        this.sql.run('INSERT OR REPLACE INTO searched VALUES (?, ?)', account, writtenAt)
      this.#setState('version', version)
    })
  }

  #write(open: boolean): void {
    let written = (): void => {}
    this.transaction(() => {
      written = this.blocks.write(open)
      for (const row of this.#newPartial) this.sql.run('INSERT OR IGNORE INTO partial VALUES (?)', row)
      const entries = this.vocabulary.takeUnsaved()
      if (entries !== null) this.sql.run('INSERT INTO words VALUES (NULL, ?)', entries)
      this.#setState('highWater', this.#highWater)
      this.#setState('words', this.vocabulary.count)
      this.#setState('mark', `${this.#newest.emailId} ${this.#newest.hash}`)
    })
    written()
    this.#newPartial = []
    this.#isSaved = true
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

/** Whether an index may lack messages of anybody. @param lastEmail Highest number of an email that was given out. */
export function isBehind(file: string, lastEmail: number): boolean {
  const highWater = readFrom(file, (sql) => {
    const [value] = sql.get<readonly [Value]>("SELECT value FROM state WHERE name = 'highWater'") ?? [0]
    return Number(value)
  })
  return (highWater ?? 0) < lastEmail
}

/**
 * Accounts that have searched, and when they did last, milliseconds since 1970. A file from before that was kept has
 * messages of everybody: they count as having searched when it was written last.
 */
export function readSearched(file: string): Map<number, number> {
  const searched = readFrom(file, (sql) => {
    const [kept] = sql.get("SELECT count(*) FROM sqlite_schema WHERE name = 'searched'")!
    if (kept === 1) return searchedIn(sql)
    const at = Math.floor(statSync(file).mtimeMs)
    return new Map([...accountsOf(sql)].map((account) => [account, at]))
  })
  return searched ?? new Map()
}

function searchedIn(sql: Sql): Map<number, number> {
  return new Map(sql.all<readonly [number, number]>('SELECT account, at FROM searched'))
}

/** @returns Null: the file is not there, or damaged. */
function readFrom<T>(file: string, read: (sql: Sql) => T): T | null {
  if (!existsSync(file)) return null
  try {
    // Not only for reading: after a kill what was begun may have to be taken back first.
    const db = new DatabaseSync(file, { timeout: 1_000 })
    try {
      return read(new Sql(db))
    } finally {
      db.close()
    }
  } catch {
    return null
  }
}

export function removeIndexFile(file: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true })
}
