/**
 * What the thread of the search does: searches, and between their slices the index is brought up to the messages. Each
 * call of `step` is a piece of at most some twenty milliseconds. Whatever goes wrong with the index's file, it is
 * deleted and made anew; until it is there the messages are read.
 */
import { join } from 'node:path'
import { openForReading, type Sql } from '../sqlite/database.ts'
import { makeCharClasses } from './char-classes.ts'
import { IndexFile, removeIndexFile } from './index-file.ts'
import { Indexer } from './indexer.ts'
import { catchUpMax } from './pace.ts'
import type { SearchPost, SearchReply, SearchThreadData, ThreadStatus } from './protocol.ts'
import { fewMessages, SearchRun, type SearchFound } from './search-run.ts'
import { StoredMessages } from './stored-messages.ts'
import { Clearing } from './clearing.ts'

/** Searches that take turns; others wait. */
const runsAtOnce = 4
/** Slices of searches between two batches of the index, so that neither keeps the other waiting. */
const slicesPerBatch = 4
/** Slices between two words about how far a search has come. */
const slicesPerProgress = 4
/**
 * While messages arrive, which they do when `wake` came so recently, half of the time is left to what takes them in, unless
 * the system sees to that.
 */
const arrivingMs = 2_000
/** After a fault of the disk. */
const retryAfterMs = 10_000

interface Run {
  readonly id: number
  readonly search: SearchRun
  readonly slices: Generator<void, SearchFound>
  count: number
}

interface SearchOrder extends Extract<SearchPost, { kind: 'search' }> {
  /** Highest of `emailIds`. */
  readonly lastEmail: number
  /** Null: that is not decided yet. */
  catchesUp: boolean | null
}

export class Searcher {
  readonly #data: SearchThreadData
  readonly #tell: (reply: SearchReply) => void
  readonly #file: string
  readonly #rests: boolean
  readonly #classes = makeCharClasses()
  readonly #sql: Sql
  readonly #messages: StoredMessages
  #index: IndexFile | null = null
  #indexer: Indexer | null = null
  #clearing: Clearing | null = null
  #waiting: SearchOrder[] = []
  #runs: Run[] = []
  #wanted = true
  #slices = 0
  /** Not before it is the index's file opened, or messages put into it. */
  #openAt = 0
  #indexAt = 0
  #wokenAt = Number.NEGATIVE_INFINITY
  #anewAt = Number.NEGATIVE_INFINITY

  /** @param rests Between batches while messages arrive. */
  constructor(data: SearchThreadData, tell: (reply: SearchReply) => void, rests = false) {
    this.#rests = rests
    this.#data = data
    this.#tell = tell
    this.#file = join(data.folder, 'fts.db')
    this.#sql = openForReading(join(data.folder, 'meta.db'))
    this.#messages = new StoredMessages(this.#sql, data.folder)
  }

  receive(post: SearchPost): void {
    if (post.kind === 'wake') this.#wake()
    else if (post.kind === 'search')
      this.#waiting.push({ ...post, lastEmail: highestOf(post.emailIds), catchesUp: null })
    else if (post.kind === 'cancel') this.#cancel(post.id)
    else if (post.kind === 'clear') this.#clearing = new Clearing()
    else if (post.kind === 'status') this.#tell({ kind: 'status', id: post.id, status: this.#status() })
  }

  /** Does a piece of what there is to do. @returns Whether there is more. */
  step(): boolean {
    while (this.#runs.length < runsAtOnce && this.#waiting.length > 0) {
      if (this.#catchUp(this.#waiting[0]!)) return true
      this.#begin(this.#waiting.shift()!)
    }
    const searching = this.#runs.length > 0
    if (searching && this.#slices < slicesPerBatch) {
      this.#slices++
      this.#advance(this.#runs.shift()!)
      return true
    }
    this.#slices = 0
    const indexing = this.#wanted && performance.now() >= this.#indexAt
    if (indexing) this.#guarded(() => this.#indexMore())
    // A search goes through the blocks as they are.
    else if (this.#clearing !== null && !searching) this.#guarded(() => this.#clearMore())
    const more = searching || this.#runs.length > 0 || indexing || this.#clearing !== null
    if (!more) this.#messages.closeFiles()
    return more
  }

  /** Milliseconds until `step` has something to do again though nobody asks; null: only when asked. */
  get restMs(): number | null {
    return this.#wanted ? Math.max(0, this.#indexAt - performance.now()) : null
  }

  close(): void {
    this.#messages.closeFiles()
    try {
      this.#index?.save()
    } catch {
      // Then it is read again.
    }
    this.#closeIndex()
    this.#sql.close()
  }

  /** What is asked about is indexed first, when that is most of what is missing, and not much. @returns Whether it goes on. */
  #catchUp(order: SearchOrder): boolean {
    if (order.plain || order.emailIds.length <= fewMessages) return false
    this.#guarded(() => this.#open())
    const highWater = this.#index?.highWater ?? Number.POSITIVE_INFINITY
    const missing = order.lastEmail - highWater
    if (missing <= 0 || missing > catchUpMax) return false
    // Where others' messages are missing, its own are sooner read.
    order.catchesUp ??= countAbove(order.emailIds, highWater) * 2 > missing
    if (!order.catchesUp) return false
    let more = false
    this.#guarded(() => void (more = this.#indexer!.step()))
    return more
  }

  #begin({ id, accountId, emailIds, criteria, plain }: SearchOrder): void {
    this.#open()
    const sources = { index: () => this.#index, classes: this.#classes, messages: this.#messages }
    const search = new SearchRun({ accountId, emailIds, criteria, plain }, sources)
    this.#runs.push({ id, search, slices: search.slices(), count: 0 })
  }

  #advance(run: Run): void {
    let found: IteratorResult<void, SearchFound>
    try {
      found = run.slices.next()
    } catch (error) {
      this.#failRun(run, error)
      return
    }
    if (found.done === true) {
      this.#tell({ kind: 'found', id: run.id, ...found.value })
      return
    }
    this.#runs.push(run)
    if (++run.count % slicesPerProgress !== 0) return
    const [lookedInto, total] = run.search.progress
    this.#tell({ kind: 'progress', id: run.id, lookedInto, total })
  }

  /** Without the index the same search can be answered still. */
  #failRun(run: Run, error: unknown): void {
    if (this.#index !== null && isDamage(error)) {
      this.#beginAnew(error)
      this.#runs.push({ ...run, slices: run.search.slices() })
    } else {
      this.#tell({ kind: 'failed', id: run.id, error: textOf(error) })
    }
  }

  #cancel(id: number): void {
    this.#waiting = this.#waiting.filter((order) => order.id !== id)
    this.#runs = this.#runs.filter((run) => run.id !== id)
  }

  #indexMore(): void {
    this.#open()
    // It could not be opened; `#open` has said when to try again.
    if (this.#indexer === null) return
    const begin = performance.now()
    if (!this.#indexer.step()) {
      this.#wanted = false
      this.#tell({ kind: 'rested' })
      return
    }
    const end = performance.now()
    if (this.#rests && end - this.#wokenAt < arrivingMs) this.#indexAt = end + (end - begin)
  }

  #clearMore(): void {
    this.#open()
    if (this.#index === null || !this.#clearing!.step(this.#index, this.#messages)) this.#clearing = null
  }

  /** @throws {Error} Of the disk. */
  #open(): void {
    if (this.#index !== null || performance.now() < this.#openAt) return
    try {
      this.#openFile()
    } catch (error) {
      this.#warn('search: the index is made anew', error)
      this.#closeIndex()
      try {
        removeIndexFile(this.#file)
        this.#openFile()
      } catch (second) {
        this.#postpone(second)
      }
    }
  }

  #openFile(): void {
    this.#index = new IndexFile(this.#file, this.#data.seed, this.#classes, this.#data.bounds)
    this.#indexer = new Indexer(this.#index, this.#messages, this.#classes)
    if (!this.#indexer.isOfThese()) throw new Error('the index is of other messages than those that are here')
  }

  /** A fault in writing: what is in memory may be ahead of the file. */
  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (isDamage(error)) this.#beginAnew(error)
      else this.#postpone(error)
    }
  }

  #beginAnew(error: unknown): void {
    this.#warn('search: the index is damaged and made anew', error)
    this.#closeIndex()
    this.#wanted = true
    // If it is something else that is damaged, trying at once and again would never end.
    const now = performance.now()
    if (now - this.#anewAt < retryAfterMs) this.#retryAt(now + retryAfterMs)
    this.#anewAt = now
    try {
      removeIndexFile(this.#file)
    } catch (second) {
      this.#postpone(second)
    }
  }

  #postpone(error: unknown): void {
    this.#warn('search: the index cannot be written; messages are read instead', error)
    this.#closeIndex()
    this.#clearing = null
    this.#wanted = true
    this.#retryAt(performance.now() + retryAfterMs)
  }

  #retryAt(at: number): void {
    this.#openAt = at
    this.#indexAt = at
  }

  #wake(): void {
    this.#wanted = true
    this.#wokenAt = performance.now()
  }

  #closeIndex(): void {
    const index = this.#index
    this.#index = null
    this.#indexer = null
    try {
      index?.close()
    } catch {
      // It is given up in any case.
    }
  }

  #status(): ThreadStatus {
    this.#open()
    const index = this.#index
    return {
      messages: index?.messages ?? 0,
      waiting: this.#messages.countAfter(index?.highWater ?? 0),
      octets: index?.octets ?? 0,
      words: index?.vocabulary.count ?? 0,
      wordOctets: index?.vocabulary.octets ?? 0,
      partial: index?.partial.size ?? 0,
    }
  }

  #warn(text: string, error: unknown): void {
    this.#tell({ kind: 'warning', text, facts: { error: textOf(error) } })
  }
}

function highestOf(emailIds: Float64Array): number {
  let highest = 0
  for (const emailId of emailIds) if (emailId > highest) highest = emailId
  return highest
}

function countAbove(emailIds: Float64Array, highWater: number): number {
  let count = 0
  for (const emailId of emailIds) if (emailId > highWater) count++
  return count
}

function isDamage(error: unknown): boolean {
  // SQLITE_CORRUPT, SQLITE_NOTADB
  return (
    error instanceof Error &&
    (/not a database|malformed/i.test(error.message) ||
      ('errcode' in error && [11, 26].includes(Number(error.errcode) & 0xff)))
  )
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
