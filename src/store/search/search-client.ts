/**
 * The sockets' thread's side of the search. The thread starts when there is something to index or to search, and ends when
 * for some minutes there was nothing; if it dies, the searches under way fail and the next one starts another.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { LimitReached, StoreUnavailable } from '../errors.ts'
import type { SearchCriterion, SearchRequest, SearchStatus, TextSearch } from '../search.ts'
import type { Delta } from '../sqlite/delta.ts'
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
import type { SearchPost, SearchReply, SearchThreadData, ThreadStatus } from './protocol.ts'

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
  /** Whether there are messages that the index does not have. */
  readonly behind: boolean
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
  /** What has come since the last wake was posted: how many messages, and when the first and the last of them. */
  #gathered = 0
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
    this.#cancelWake = options.behind ? options.clock.after(firstMs, () => this.#wake()) : null
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
    let added = 0
    for (const delta of deltas) if (delta.kind === 'added') added += delta.uids.length
    if (added > 0) this.#gather(added)
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
    if (this.#gathered > 0) this.#wake()
    this.#searches++
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const reply = await this.#ask({ kind: 'search', id, accountId, emailIds, criteria, plain }, progress)
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

  #gather(messages: number): void {
    this.#lastAt = this.#nowMs()
    if (this.#gathered === 0) this.#gatheredSince = this.#lastAt
    this.#gathered += messages
    if (this.#gathered >= gatheredMax) this.#wake()
    else this.#cancelWake ??= this.#options.clock.after(quietMs, () => this.#wakeIfTime())
  }

  #wakeIfTime(): void {
    const dueMs = this.running
      ? Math.min(this.#lastAt + quietMs, this.#gatheredSince + gatherMaxMs)
      : this.#gatheredSince + sleepMaxMs
    const waitMs = dueMs - this.#nowMs()
    if (waitMs <= 0) this.#wake()
    else this.#cancelWake = this.#options.clock.after(Math.min(waitMs, gatherMaxMs), () => this.#wakeIfTime())
  }

  #wake(): void {
    this.#cancelWake?.()
    this.#cancelWake = null
    if (this.#gathered > 0) this.#behindSince ??= this.#gatheredSince
    this.#gathered = 0
    this.#post({ kind: 'wake' })
  }

  /** Not the time of day, which may be set. */
  #nowMs(): number {
    return this.#options.clock.monotonicUs() / 1_000
  }

  #clearAfter(delayMs: number): () => void {
    return this.#options.clock.after(delayMs, () => {
      this.#post({ kind: 'clear' })
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
    const data: SearchThreadData = { folder: this.#options.folder, seed }
    const worker = startThread('search-thread', import.meta.url, data)
    worker.on('message', (reply: SearchReply) => this.#receive(reply))
    worker.on('error', (error) => this.#died(worker, error as Error))
    worker.on('exit', () => this.#died(worker, new Error('the search thread ended')))
    return worker
  }

  #receive(reply: SearchReply): void {
    if (reply.kind === 'warning') this.#options.log.warn(reply.text, reply.facts)
    else if (reply.kind === 'rested') this.#rested()
    else if (reply.kind === 'progress') this.#askers.get(reply.id)?.progress?.(reply.lookedInto, reply.total)
    else if (reply.kind === 'failed')
      this.#take(reply.id)?.answer.reject(new StoreUnavailable('the search failed', { cause: reply.error }))
    else this.#take(reply.id)?.answer.resolve(reply)
  }

  /** Everything of before the last wake is indexed. */
  #rested(): void {
    this.#resting = true
    if (this.#behindSince === null) return
    const now = this.#nowMs()
    this.#longestLagMs = Math.max(this.#longestLagMs, now - this.#behindSince)
    this.#behindSince = null
  }

  #died(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return
    this.#worker = null
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

function checkBounds(emailIds: Float64Array, criteria: readonly SearchCriterion[]): void {
  if (emailIds.length > emailsMax) throw new LimitReached(`a search is of at most ${emailsMax} messages`)
  if (criteria.length > criteriaMax) throw new LimitReached(`a search has at most ${criteriaMax} criteria`)
  for (const criterion of criteria) {
    if (criterion.field !== 'sent' && criterion.needle.length > needleCharsMax)
      throw new LimitReached(`a text that is searched for has at most ${needleCharsMax} chars`)
  }
}
