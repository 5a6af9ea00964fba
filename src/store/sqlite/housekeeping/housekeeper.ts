/**
 * The sockets' thread's side of the housekeeping: starts a pass when it is time or when there is much to clear away, one at
 * a time, and hands its questions to the writer. The thread lives as long as its job.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../../base/clock.ts'
import type { Limits } from '../../../base/limits.ts'
import type { Log } from '../../../base/log.ts'
import { StoreUnavailable } from '../../errors.ts'
import type { CleanProgress, CleanReport, StoreStat } from '../../housekeeping.ts'
import { errorOf } from '../error-of.ts'
import type { CallOf, OperationName } from '../operations.ts'
import { segmentFile } from '../segment-name.ts'
import { startThread } from '../start-thread.ts'
import type { WriterClient } from '../writer-client.ts'
import type { FileHold } from './file-hold.ts'
import type { FromThread, HousekeepingData, Job, ToThread } from './protocol.ts'

/** The first pass of a store that has just been opened. */
const firstPassMs = 5 * 60_000
/** How long a thread may take to see that the store closes. */
const stopMs = 2_000

export interface HousekeeperParts {
  readonly data: Omit<HousekeepingData, 'job' | 'nowMs' | 'limits'>
  readonly limits: Limits
  readonly writer: WriterClient
  readonly clock: Clock
  readonly log: Log
  readonly hold: FileHold
  /** Files that have been removed: whoever has them open lets go. */
  removed(files: readonly string[]): void
}

interface Pass {
  readonly done: Promise<CleanReport>
  /** Somebody waits for it, and it began after they asked. */
  readonly byHand: boolean
  readonly listeners: ((progress: CleanProgress) => void)[]
  hurry(): void
}

export class Housekeeper {
  readonly #parts: HousekeeperParts
  readonly #running = new Set<Promise<unknown>>()
  readonly #workers = new Set<Worker>()
  #cancel: () => void
  #pass: Pass | null = null
  #freedOctets = 0
  #closed = false

  constructor(parts: HousekeeperParts) {
    this.#parts = parts
    this.#cancel = this.#later(Math.min(firstPassMs, parts.limits.cleanEveryMs))
  }

  /** Octets of bodies became garbage. */
  freed(octets: number): void {
    this.#freedOctets += octets
    if (this.#freedOctets >= this.#parts.limits.cleanGarbageOctets) this.#inBackground()
  }

  async clean(progress?: (progress: CleanProgress) => void): Promise<CleanReport> {
    while (this.#pass !== null && !this.#pass.byHand) {
      // It may have passed by what the asker means.
      this.#pass.hurry()
      await this.#pass.done.catch(() => {})
    }
    const pass = this.#pass ?? this.#begin(true)
    if (progress !== undefined) pass.listeners.push(progress)
    return pass.done
  }

  stat(): Promise<StoreStat> {
    return this.#run({ kind: 'stat' }, () => {}).result as Promise<StoreStat>
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    for (const worker of this.#workers) worker.postMessage({ kind: 'stop' } satisfies ToThread)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, stopMs)
    })
    await Promise.race([Promise.allSettled(this.#running), late])
    clearTimeout(timer)
    await Promise.all([...this.#workers].map((worker) => worker.terminate()))
  }

  #later(ms: number): () => void {
    return this.#parts.clock.after(ms, () => {
      this.#cancel = this.#later(this.#parts.limits.cleanEveryMs)
      this.#inBackground()
    })
  }

  #inBackground(): void {
    if (this.#pass !== null || this.#closed) return
    this.#begin(false).done.catch((error: unknown) => {
      if (!this.#closed) this.#parts.log.warn('store: the housekeeping failed and will try again', { error })
    })
  }

  #begin(byHand: boolean): Pass {
    const listeners: Pass['listeners'] = []
    const job: Job = { kind: 'clean', bounded: !byHand, thorough: byHand }
    const { result, post } = this.#run(job, (progress) => {
      for (const listener of listeners) listener(progress)
    })
    this.#freedOctets = 0
    const done = (result as Promise<CleanReport>).finally(() => {
      this.#pass = null
    })
    this.#pass = { done, byHand, listeners, hurry: () => post({ kind: 'hurry' }) }
    return this.#pass
  }

  /** Starts a thread for one job. */
  #run(
    job: Job,
    progress: (progress: CleanProgress) => void,
  ): { result: Promise<CleanReport | StoreStat>; post(message: ToThread): void } {
    if (this.#closed) {
      return { result: Promise.reject(new StoreUnavailable('the store is closed')), post() {} }
    }
    const { data, limits, clock, log } = this.#parts
    const jobData: HousekeepingData = { ...data, limits, job, nowMs: clock.now() }
    const worker = startThread('housekeeping-thread', import.meta.url, jobData)
    const post = (message: ToThread) => worker.postMessage(message)
    const { promise, resolve, reject } = Promise.withResolvers<CleanReport | StoreStat>()
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'ask') void this.#ask(message.name, message.call, message.id, post)
      else if (message.kind === 'progress') progress(message.progress)
      else if (message.kind === 'warning') log.warn(message.text, message.facts)
      else if (message.kind === 'done') resolve(message.result)
      else reject(new StoreUnavailable(message.error.message, { cause: errorOf(message.error) }))
    })
    worker.on('error', (error) => reject(new StoreUnavailable('the housekeeping stopped', { cause: error })))
    worker.on('exit', () => {
      this.#workers.delete(worker)
      reject(new StoreUnavailable('the housekeeping stopped'))
    })
    worker.unref()
    this.#workers.add(worker)
    this.#running.add(promise)
    promise.then(
      () => this.#running.delete(promise),
      () => this.#running.delete(promise),
    )
    return { result: promise, post }
  }

  async #ask(
    name: OperationName,
    call: unknown,
    id: number,
    post: (message: ToThread) => void,
  ): Promise<void> {
    const { writer, hold } = this.#parts
    const ask = () => writer.ask(name, call as CallOf<OperationName>, 'bulk')
    const removesFiles = name === 'dropSegments' || name === 'sweep' || name === 'removeOrphanRows'
    try {
      const value = await (removesFiles ? hold.run(ask) : ask())
      if (name === 'dropSegments') this.#tellRemoved(call as CallOf<'dropSegments'>)
      post({ kind: 'answer', id, value })
    } catch (error) {
      const { name: errorName, message } = error as Error
      post({ kind: 'refused', id, error: { name: errorName, message } })
    }
  }

  #tellRemoved({ segments }: CallOf<'dropSegments'>): void {
    this.#parts.removed(segments.map((segment) => segmentFile(this.#parts.data.folder, segment)))
  }
}
