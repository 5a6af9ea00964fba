/**
 * What the thread of the search does: searches, and between their slices the index is brought up to the messages. Each
 * call of `step` is a piece of at most some twenty milliseconds. A search reads what the index does not have; what it
 * asked about is put into the index behind it. Whatever goes wrong with the index's file, the messages are read.
 */
import { join } from 'node:path'
import { openForReading, type Sql } from '../sqlite/database.ts'
import { Backlog } from './backlog.ts'
import { makeCharClasses } from './char-classes.ts'
import { Clearing } from './clearing.ts'
import { IndexKeeper, isDamage } from './index-keeper.ts'
import type { NewEmails, SearchPost, SearchReply, SearchThreadData, ThreadStatus } from './protocol.ts'
import { type SearchFound, SearchRun } from './search-run.ts'
import { StoredMessages } from './stored-messages.ts'

/** Searches that take turns; others wait. */
const runsAtOnce = 4
/**
 * Slices of searches between two batches of the index. To read a message for an answer costs a third of what it costs to put
 * it into the index, so who waits comes first; but where somebody always searches, the index has to come to an end, too.
 */
const slicesPerBatch = 32
/** Slices between two words about how far a search has come. */
const slicesPerProgress = 4
/** Messages of one account; from so many on it is said when the index begins with them, and when it has them. */
const saidFrom = 2_000
/** Between two words about how far the index is behind. */
const tellBehindMs = 1_000
/**
 * While messages arrive, which they do when `wake` came so recently, half of the time is left to what takes them in, unless
 * the system sees to that.
 */
const arrivingMs = 2_000

type SearchOrder = Extract<SearchPost, { kind: 'search' }>

interface Run {
  readonly order: SearchOrder
  readonly search: SearchRun
  readonly slices: Generator<void, SearchFound>
  count: number
  /** What the index lacked of it is wanted there. */
  isFollowed: boolean
}

export class Searcher {
  readonly #everybody: boolean
  readonly #tell: (reply: SearchReply) => void
  readonly #rests: boolean
  readonly #classes = makeCharClasses()
  readonly #sql: Sql
  readonly #messages: StoredMessages
  readonly #keeper: IndexKeeper
  #clearing: Clearing | null = null
  #waiting: SearchOrder[] = []
  #runs: Run[] = []
  readonly #backlog = new Backlog()
  /** Accounts with many messages in the backlog: since when. */
  readonly #building = new Map<number, { readonly messages: number; readonly since: number }>()
  /** There may be something to index. */
  #wanted = true
  /** Everybody's messages are looked through for new ones. */
  #walks: boolean
  #slices = 0
  #indexAt = 0
  #wokenAt = Number.NEGATIVE_INFINITY
  #toldBehindAt = 0

  /** @param rests Between batches while messages arrive. */
  constructor(data: SearchThreadData, tell: (reply: SearchReply) => void, rests = false) {
    this.#rests = rests
    this.#everybody = data.everybody
    this.#walks = data.everybody
    this.#tell = tell
    this.#sql = openForReading(join(data.folder, 'meta.db'))
    this.#messages = new StoredMessages(this.#sql, data.folder)
    this.#keeper = new IndexKeeper({
      ...{ data, classes: this.#classes, messages: this.#messages },
      warn: (text, error) => this.#tell({ kind: 'warning', text, facts: { error: textOf(error) } }),
      lost: () => this.#lost(),
    })
  }

  receive(post: SearchPost): void {
    if (post.kind === 'wake') this.#wake(post.added)
    else if (post.kind === 'search') this.#waiting.push(post)
    else if (post.kind === 'cancel') this.#cancel(post.id)
    else if (post.kind === 'clear') this.#clearing = new Clearing()
    else if (post.kind === 'status') this.#tell({ kind: 'status', id: post.id, status: this.#status() })
  }

  /** Does a piece of what there is to do. @returns Whether there is more. */
  step(): boolean {
    while (this.#runs.length < runsAtOnce && this.#waiting.length > 0) this.#begin(this.#waiting.shift()!)
    const searching = this.#runs.length > 0
    if (searching && this.#slices < slicesPerBatch) {
      this.#slices++
      this.#advance(this.#runs.shift()!)
      return true
    }
    this.#slices = 0
    const indexing = this.#wanted && performance.now() >= this.#indexAt
    if (indexing) this.#keeper.guarded(() => this.#indexMore())
    // A search goes through the blocks as they are.
    else if (this.#clearing !== null && !searching) this.#keeper.guarded(() => this.#clearMore())
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
    this.#keeper.close()
    this.#sql.close()
  }

  #begin(order: SearchOrder): void {
    this.#keeper.openIfThere()
    const index = () => this.#keeper.index
    const search = new SearchRun(order, { index, classes: this.#classes, messages: this.#messages })
    this.#runs.push({ order, search, slices: search.slices(), count: 0, isFollowed: false })
  }

  #advance(run: Run): void {
    let found: IteratorResult<void, SearchFound>
    try {
      found = run.slices.next()
    } catch (error) {
      this.#failRun(run, error)
      return
    }
    const { id } = run.order
    if (!run.isFollowed && run.search.needsIndex) this.#follow(run)
    if (found.done === true) {
      this.#tell({ kind: 'found', id, ...found.value })
      return
    }
    this.#runs.push(run)
    if (++run.count % slicesPerProgress !== 0) return
    const [lookedInto, total] = run.search.progress
    this.#tell({ kind: 'progress', id, lookedInto, total })
  }

  /** The account has an index from now on, and messages it asked about go there, though nobody may wait for the answer. */
  #follow(run: Run): void {
    run.isFollowed = true
    const { accountId, at } = run.order
    this.#tell({ kind: 'follows', accountId, at })
    this.#keeper.guarded(() => {
      this.#keeper.open()
      this.#keeper.index?.remember(accountId, at)
    })
    const emailIds = run.search.missing
    this.#want({ accountId, emailIds })
    if (emailIds.length < saidFrom || this.#building.has(accountId)) return
    this.#building.set(accountId, { messages: emailIds.length, since: performance.now() })
    this.#say('search: the index of an account is being built', { accountId, messages: emailIds.length })
  }

  /** Without the index the same search can be answered still. */
  #failRun(run: Run, error: unknown): void {
    if (this.#keeper.index !== null && isDamage(error)) {
      this.#keeper.beginAnew(error)
      this.#runs.push({ ...run, slices: run.search.slices(), isFollowed: false })
    } else {
      this.#tell({ kind: 'failed', id: run.order.id, error: textOf(error) })
    }
  }

  #cancel(id: number): void {
    this.#waiting = this.#waiting.filter((order) => order.id !== id)
    this.#runs = this.#runs.filter(({ order }) => order.id !== id)
  }

  #indexMore(): void {
    if (!this.#walks && this.#backlog.count === 0) {
      this.#wanted = false
      this.#tell({ kind: 'rested' })
      return
    }
    this.#keeper.open()
    const { indexer } = this.#keeper
    if (indexer === null) {
      this.#indexAt = this.#keeper.retryAt
      return
    }
    const begin = performance.now()
    if (this.#backlog.count > 0) this.#builtAll(indexer.stepOf(this.#backlog))
    else this.#walks = indexer.step()
    const end = performance.now()
    if (this.#rests && end - this.#wokenAt < arrivingMs) this.#indexAt = end + (end - begin)
    if (end - this.#toldBehindAt < tellBehindMs) return
    this.#toldBehindAt = end
    const { index } = this.#keeper
    const unseen = this.#everybody ? this.#messages.lastEmail() - (index?.highWater ?? 0) : 0
    this.#tell({ kind: 'behind', messages: Math.max(unseen, this.#backlog.count) })
  }

  /** @param accountId Null: some are left, or there were not many. */
  #builtAll(accountId: number | null): void {
    const building = accountId === null ? undefined : this.#building.get(accountId)
    if (accountId === null || building === undefined) return
    this.#building.delete(accountId)
    const { messages, since } = building
    const seconds = Math.round((performance.now() - since) / 1_000)
    this.#say('search: the index of an account is built', { accountId, messages, seconds })
  }

  #clearMore(): void {
    this.#keeper.openIfThere()
    const { index } = this.#keeper
    if (index === null || !this.#clearing!.step(index, this.#messages)) this.#clearing = null
  }

  #lost(): void {
    this.#clearing = null
    this.#walks = this.#everybody
    this.#wanted = true
    this.#indexAt = this.#keeper.retryAt
  }

  #wake(added: readonly NewEmails[]): void {
    for (const one of added) this.#want(one)
    this.#walks = this.#everybody
    this.#wanted = true
    this.#wokenAt = performance.now()
  }

  #want(emails: NewEmails): void {
    this.#backlog.add(emails)
    this.#wanted = true
  }

  #status(): ThreadStatus {
    this.#keeper.openIfThere()
    const { index } = this.#keeper
    return {
      messages: index?.messages ?? 0,
      accounts: index?.searched.size ?? 0,
      waiting: this.#everybody ? this.#messages.countAfter(index?.highWater ?? 0) : this.#backlog.count,
      octets: index?.octets ?? 0,
      words: index?.vocabulary.count ?? 0,
      wordOctets: index?.vocabulary.octets ?? 0,
      partial: index?.partial.size ?? 0,
    }
  }

  #say(text: string, facts: { readonly [name: string]: number }): void {
    this.#tell({ kind: 'info', text, facts })
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
