/**
 * Opens the index's file, and makes it anew when anything about it is odd; who has searched is kept as long as it can be
 * read. While the disk refuses, there is no index.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { IndexFile, readSearched, removeIndexFile } from './index-file.ts'
import { Indexer } from './indexer.ts'
import type { SearchThreadData } from './protocol.ts'
import type { StoredMessages } from './stored-messages.ts'

/** After a fault of the disk. */
const retryAfterMs = 10_000

export interface IndexKeeperParts {
  readonly data: SearchThreadData
  readonly classes: Uint8Array
  readonly messages: StoredMessages
  warn(text: string, error: unknown): void
  /** What was put in last is not in it any more, or nothing is. */
  lost(): void
}

export class IndexKeeper {
  readonly #parts: IndexKeeperParts
  readonly #file: string
  #index: IndexFile | null = null
  #indexer: Indexer | null = null
  #retryAt = 0
  #anewAt = Number.NEGATIVE_INFINITY

  constructor(parts: IndexKeeperParts) {
    this.#parts = parts
    this.#file = join(parts.data.folder, 'fts.db')
  }

  get index(): IndexFile | null {
    return this.#index
  }

  get indexer(): Indexer | null {
    return this.#indexer
  }

  /** Not before it is it opened again, as `performance.now()` counts. */
  get retryAt(): number {
    return this.#retryAt
  }

  /** Makes none. */
  openIfThere(): void {
    if (this.#index === null && existsSync(this.#file)) this.open()
  }

  open(): void {
    if (this.#index !== null || performance.now() < this.#retryAt) return
    try {
      this.#openFile()
    } catch (error) {
      this.#parts.warn('search: the index is made anew', error)
      this.#close()
      this.#makeAnew(readSearched(this.#file))
    }
  }

  /** Works on the index. A fault in writing: what is in memory may be ahead of the file. */
  guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (isDamage(error)) this.beginAnew(error)
      else this.#postpone(error)
    }
  }

  /** It has shown to be damaged. */
  beginAnew(error: unknown): void {
    this.#parts.warn('search: the index is damaged and made anew', error)
    const searched = this.#index?.searched ?? new Map<number, number>()
    this.#close()
    // If it is something else that is damaged, trying at once and again would never end.
    const now = performance.now()
    if (now - this.#anewAt < retryAfterMs) this.#retryAt = now + retryAfterMs
    this.#anewAt = now
    this.#makeAnew(searched)
  }

  /** Keeps what is in memory of it. */
  close(): void {
    try {
      this.#index?.save()
    } catch {
      // Then it is read again.
    }
    this.#close()
  }

  #makeAnew(searched: ReadonlyMap<number, number>): void {
    try {
      removeIndexFile(this.#file)
      if (performance.now() >= this.#retryAt) this.#openFile()
      for (const one of searched) this.#index?.remember(...one)
      this.#parts.lost()
    } catch (error) {
      this.#postpone(error)
    }
  }

  #openFile(): void {
    const { data, messages, classes } = this.#parts
    this.#index = new IndexFile(this.#file, data.seed, classes, data.bounds)
    this.#indexer = new Indexer(this.#index, messages, classes)
    if (!this.#indexer.isOfThese()) throw new Error('the index is of other messages than those that are here')
  }

  #postpone(error: unknown): void {
    this.#parts.warn('search: the index cannot be written; messages are read instead', error)
    this.#close()
    this.#retryAt = performance.now() + retryAfterMs
    this.#parts.lost()
  }

  #close(): void {
    const index = this.#index
    this.#index = null
    this.#indexer = null
    try {
      index?.close()
    } catch {
      // It is given up in any case.
    }
  }
}

export function isDamage(error: unknown): boolean {
  // SQLITE_CORRUPT, SQLITE_NOTADB
  return (
    error instanceof Error &&
    (/not a database|malformed/i.test(error.message) ||
      ('errcode' in error && [11, 26].includes(Number(error.errcode) & 0xff)))
  )
}
