/**
 * The sockets' thread's side of the search: which accounts the index follows, and what of their mail it was not told yet.
 * The thread starts when somebody searches, or when there is something to index, and ends when for some minutes there was
 * nothing; if it dies, the searches under way fail and the next one starts another.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { LimitReached, StoreUnavailable } from '../errors.ts'
import type { IndexState, SearchCriterion, SearchRequest, SearchStatus, TextSearch } from '../search.ts'
import type { AddedDelta, Delta } from '../sqlite/delta.ts'
import { startThread } from '../sqlite/start-thread.ts'
import {
  clearMs,
  firstClearMs,
  firstMs,
  gatheredMax,
  gatherMaxMs,
  idleMs,
  quietMs,
  sleepMaxMs,
} from './pace.ts'
import type { NewEmails, SearchPost, SearchReply, SearchThreadData, ThreadStatus } from './protocol.ts'

/** Chars of one needle. */
export const needleCharsMax = 1_000
export const criteriaMax = 50
export const emailsMax = 10_000_000
/** Searches of all accounts that are under way or wait; beyond it: try again later. */
export const searchesMax = 200

export interface SearchClientOptions {
  /** Of the shard. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  /** When accounts searched last, by the clock. */
  readonly searched: ReadonlyMap<number, number>
  /** After its last search the index follows an account for so long. */
  readonly followMs: number
  /** The index follows for everybody. Then: whether there are messages that it does not have. */
  readonly everybody: { readonly behind: boolean } | null
  /** Fulfilled when the tables show every message that was told of, rejected when they cannot; null: they do. */
  readable(): Promise<unknown> | null
}

interface Asker {
  readonly answer: PromiseWithResolvers<SearchReply>
  readonly progress: SearchRequest['progress']
}

export class SearchClient implements TextSearch {
  readonly #options: SearchClientOptions
  readonly #askers = new Map<number, Asker>()
  #worker: Worker | null = null
  #lastId = 0
  #searches = 0
  #closed = false
  #cancelWake: (() => void) | null
  #cancelClear: () => void
  /** When the oldest of what is not indexed yet came. */
  #behindSince: number | null = null
  /** When accounts searched last, of those that the index follows or followed. */
  readonly #searched: Map<number, number>
  /** Messages that the thread has not indexed, as it said last. */
  #behind = 0
  /** What has come since the last wake was posted: how many messages, and when the first and the last of them. */
  #gathered = 0
  /** The same, by account. */
  #added = new Map<number, number[]>()
  #gatheredSince = 0
  #lastAt = 0
  #longestLagMs = 0
  #cancelIdle: () => void = () => {}
  /** The thread has done all it was woken for. */
  #resting = false
  /** Fulfilled when threads that were told to end have ended. */
  #ending: Promise<void> = Promise.resolve()

  constructor(options: SearchClientOptions) {
    this.#options = options
    this.#searched = new Map(options.searched)
    const behind = options.everybody?.behind === true
    this.#cancelWake = behind ? options.clock.after(firstMs, () => void this.#wake()) : null
    this.#cancelClear = this.#clearAfter(firstClearMs)
  }

  /** Whether the thread is there. */
  get running(): boolean {
    return this.#worker !== null
  }

  /** Messages that have come since the thread was told last. */
  get gathered(): number {
    return this.#gathered
  }

  /** Messages came, perhaps. */
  changed(deltas: readonly Delta[]): void {
    for (const delta of deltas) {
      if (delta.kind !== 'added') continue
      if (this.#options.everybody !== null) this.#gather(delta.emailIds.length)
      else if (this.#searched.size > 0 && this.#follows(delta.accountId)) this.#add(delta)
    }
  }

  /** Of the index, as far as it is known here. */
  get indexState(): IndexState {
    let accounts = 0
    for (const accountId of this.#searched.keys()) if (this.#follows(accountId)) accounts++
    return { accounts, behind: this.#behind + this.#gathered }
  }

  async search(accountId: number, request: SearchRequest): Promise<Uint32Array> {
    const { emailIds, criteria, signal, progress, plain = false } = request
    checkBounds(emailIds, criteria)
    if (this.#searches >= searchesMax) throw new LimitReached(`at most ${searchesMax} searches at once`)
    signal?.throwIfAborted()
    const id = ++this.#lastId
    const cancel = () => {
      this.#post({ kind: 'cancel', id })
      this.#take(id)?.answer.reject(signal!.reason)
    }
    this.#searches++
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const readable = this.#options.readable()
      if (readable !== null) await readable
      signal?.throwIfAborted()
      if (this.#gathered > 0) void this.#wake()
      const at = this.#options.clock.now()
      const reply = await this.#ask(
        { kind: 'search', id, accountId, emailIds, criteria, plain, at },
        progress,
      )
      if (reply.kind !== 'found') throw new Error('not an answer to a search')
      if (reply.unreadable > 0)
        this.#options.log.error('search: messages could not be read', {
          accountId,
          messages: reply.unreadable,
        })
      return reply.places
    } finally {
      this.#searches--
      signal?.removeEventListener('abort', cancel)
    }
  }

  async searchStatus(): Promise<SearchStatus> {
    if (!this.running && !this.#isThere) return noIndex
    // What the thread was woken for it is told before.
    await this.#options.readable()
    const reply = await this.#ask({ kind: 'status', id: ++this.#lastId })
    if (reply.kind !== 'status') throw new Error('not an answer about the status')
    return { ...reply.status, ...this.#lag(reply.status) }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelWake?.()
    this.#cancelClear()
    this.#end()
    await this.#ending
    this.#failAll(new StoreUnavailable('the store is closed'))
  }

  #lag({ waiting }: ThreadStatus): Pick<SearchStatus, 'lagMs' | 'longestLagMs'> {
    const since = this.#behindSince ?? (this.#gathered > 0 ? this.#gatheredSince : null)
    const lagMs = waiting === 0 || since === null ? 0 : this.#nowMs() - since
    return { lagMs, longestLagMs: Math.max(lagMs, this.#longestLagMs) }
  }

  #follows(accountId: number): boolean {
    const at = this.#searched.get(accountId)
    if (at === undefined) return false
    if (this.#options.clock.now() - at < this.#options.followMs) return true
    this.#searched.delete(accountId)
    return false
  }

  #add({ accountId, emailIds }: AddedDelta): void {
    let added = this.#added.get(accountId)
    if (added === undefined) this.#added.set(accountId, (added = []))
    // A copy may be of a whole mailbox.
    for (const emailId of emailIds) added.push(emailId)
    this.#gather(emailIds.length)
  }

  #gather(messages: number): void {
    this.#lastAt = this.#nowMs()
    if (this.#gathered === 0) this.#gatheredSince = this.#lastAt
    this.#gathered += messages
    if (this.#gathered >= gatheredMax) void this.#wake()
    else this.#cancelWake ??= this.#options.clock.after(quietMs, () => this.#wakeIfTime())
  }

  #wakeIfTime(): void {
    const dueMs = this.running
      ? Math.min(this.#lastAt + quietMs, this.#gatheredSince + gatherMaxMs)
      : this.#gatheredSince + sleepMaxMs
    const waitMs = dueMs - this.#nowMs()
    if (waitMs <= 0) void this.#wake()
    else this.#cancelWake = this.#options.clock.after(Math.min(waitMs, gatherMaxMs), () => this.#wakeIfTime())
  }

  #wake(): Promise<void> | void {
    this.#cancelWake?.()
    this.#cancelWake = null
    if (this.#gathered > 0) this.#behindSince ??= this.#gatheredSince
    this.#gathered = 0
    const added = Array.from(
      this.#added,
      ([accountId, emailIds]): NewEmails => ({ accountId, emailIds: Float64Array.from(emailIds) }),
    )
    this.#added.clear()
    // The thread reads what the tables show; if they cannot be brought up to date, that is what there is.
    const wake = () => this.#post({ kind: 'wake', added })
    const readable = this.#options.readable()
    if (readable === null) wake()
    else return readable.then(wake, wake)
  }

  /** Whether there is an index. */
  get #isThere(): boolean {
    return existsSync(join(this.#options.folder, 'fts.db'))
  }

  /** Not the time of day, which may be set. */
  #nowMs(): number {
    return this.#options.clock.monotonicUs() / 1_000
  }

  #clearAfter(delayMs: number): () => void {
    return this.#options.clock.after(delayMs, () => {
      if (this.#isThere) this.#post({ kind: 'clear' })
      this.#cancelClear = this.#clearAfter(clearMs)
    })
  }

  #ask(
    post: Extract<SearchPost, { kind: 'search' | 'status' }>,
    progress?: SearchRequest['progress'],
  ): Promise<SearchReply> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the store is closed'))
    const answer = Promise.withResolvers<SearchReply>()
    this.#askers.set(post.id, { answer, progress })
    this.#post(post)
    return answer.promise
  }

  #post(post: SearchPost): void {
    if (this.#closed) return
    if (post.kind === 'wake') this.#resting = false
    ;(this.#worker ??= this.#start()).postMessage(post)
    this.#endWhenIdle()
  }

  #endWhenIdle(): void {
    this.#cancelIdle()
    this.#cancelIdle = this.#options.clock.after(idleMs, () => {
      if (this.#resting && this.#askers.size === 0) this.#end()
      else this.#endWhenIdle()
    })
  }

  #end(): void {
    this.#cancelIdle()
    const worker = this.#worker
    this.#worker = null
    if (worker === null) return
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    this.#ending = Promise.all([this.#ending, ended]).then(() => {})
    worker.postMessage({ kind: 'close' } satisfies SearchPost)
  }

  #start(): Worker {
    const seed = Buffer.from(this.#options.random.bytes(4)).readInt32LE(0)
    this.#resting = false
    const { folder, everybody } = this.#options
    const data: SearchThreadData = { folder, seed, everybody: everybody !== null }
    const worker = startThread('search-thread', import.meta.url, data)
    worker.on('message', (reply: SearchReply) => this.#receive(reply))
    worker.on('error', (error) => this.#died(worker, error as Error))
    worker.on('exit', () => this.#died(worker, new Error('the search thread ended')))
    return worker
  }

  #receive(reply: SearchReply): void {
    if (reply.kind === 'warning') this.#options.log.warn(reply.text, reply.facts)
    else if (reply.kind === 'info') this.#options.log.info(reply.text, reply.facts)
    else if (reply.kind === 'rested') this.#rested()
    else if (reply.kind === 'behind') this.#behind = reply.messages
    else if (reply.kind === 'follows') this.#followed(reply.accountId, reply.at)
    else if (reply.kind === 'progress') this.#askers.get(reply.id)?.progress?.(reply.lookedInto, reply.total)
    else if (reply.kind === 'failed')
      this.#take(reply.id)?.answer.reject(new StoreUnavailable('the search failed', { cause: reply.error }))
    else this.#take(reply.id)?.answer.resolve(reply)
  }

  /** It says that it rests when it has indexed what was asked about. */
  #followed(accountId: number, at: number): void {
    this.#resting = false
    this.#searched.set(accountId, at)
  }

  /** Everything of before the last wake is indexed. */
  #rested(): void {
    this.#resting = true
    this.#behind = 0
    if (this.#behindSince === null) return
    const now = this.#nowMs()
    this.#longestLagMs = Math.max(this.#longestLagMs, now - this.#behindSince)
    this.#behindSince = null
  }

  #died(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return
    this.#worker = null
    this.#behind = 0
    this.#options.log.error('search: the thread died', { error: cause })
    this.#failAll(new StoreUnavailable('the search failed', { cause }))
  }

  #failAll(error: Error): void {
    for (const { answer } of this.#askers.values()) answer.reject(error)
    this.#askers.clear()
  }

  #take(id: number): Asker | undefined {
    const asker = this.#askers.get(id)
    this.#askers.delete(id)
    return asker
  }
}

const noIndex: SearchStatus = {
  ...{ messages: 0, accounts: 0, waiting: 0, lagMs: 0, longestLagMs: 0 },
  ...{ octets: 0, words: 0, wordOctets: 0, partial: 0 },
}

function checkBounds(emailIds: Float64Array, criteria: readonly SearchCriterion[]): void {
  if (emailIds.length > emailsMax) throw new LimitReached(`a search is of at most ${emailsMax} messages`)
  if (criteria.length > criteriaMax) throw new LimitReached(`a search has at most ${criteriaMax} criteria`)
  for (const criterion of criteria) {
    if (criterion.field !== 'sent' && criterion.needle.length > needleCharsMax)
      throw new LimitReached(`a text that is searched for has at most ${needleCharsMax} chars`)
  }
}
