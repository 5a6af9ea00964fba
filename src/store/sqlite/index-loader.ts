/** The sockets' thread's side of index-thread.ts. The thread is there while large mailboxes are opened, and a little longer. */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { StoreUnavailable } from '../errors.ts'
import type { IndexOrder, IndexReply, IndexThreadData } from './index-thread.ts'
import type { IndexColumns } from './shared-index.ts'
import { startThread } from './start-thread.ts'

/** Others may be opened soon: starting the thread takes some 30 ms. */
const idleMs = 60_000

export class IndexLoader {
  readonly #data: IndexThreadData
  readonly #clock: Clock
  readonly #askers = new Map<number, PromiseWithResolvers<IndexColumns>>()
  #worker: Worker | null = null
  #ended: Promise<void> = Promise.resolve()
  #lastId = 0
  #cancelIdle: () => void = () => {}
  #closed = false

  constructor(data: IndexThreadData, clock: Clock) {
    this.#data = data
    this.#clock = clock
  }

  /** @throws {StoreUnavailable} */
  load(accountId: number, mailboxId: number, total: number): Promise<IndexColumns> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the store is closed'))
    this.#cancelIdle()
    const id = ++this.#lastId
    const asker = Promise.withResolvers<IndexColumns>()
    this.#askers.set(id, asker)
    this.#worker ??= this.#start()
    this.#worker.postMessage({ id, accountId, mailboxId, total } satisfies IndexOrder)
    return asker.promise
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#end()
    this.#failAll(new StoreUnavailable('the store is closed'))
    await this.#ended
  }

  #start(): Worker {
    const worker = startThread('index-thread', import.meta.url, this.#data)
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.on('message', (reply: IndexReply) => this.#receive(reply))
    worker.on('error', (cause) => this.#died(worker, cause))
    worker.on('exit', () => this.#died(worker, new Error('the thread ended')))
    return worker
  }

  #receive(reply: IndexReply): void {
    const asker = this.#askers.get(reply.id)
    this.#askers.delete(reply.id)
    if ('error' in reply)
      asker?.reject(new StoreUnavailable('the index cannot be read', { cause: reply.error }))
    else asker?.resolve(reply.columns)
    if (this.#askers.size === 0 && !this.#closed)
      this.#cancelIdle = this.#clock.after(idleMs, () => this.#end())
  }

  #end(): void {
    this.#cancelIdle()
    const worker = this.#worker
    this.#worker = null
    worker?.postMessage('close')
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = null
    this.#failAll(new StoreUnavailable('the index cannot be read', { cause }))
  }

  #failAll(error: Error): void {
    for (const asker of this.#askers.values()) asker.reject(error)
    this.#askers.clear()
  }
}
