import type { Worker } from 'node:worker_threads'
import { errorOf } from '../error-of.ts'
import { startThread } from '../start-thread.ts'
import type { MissingData, MissingItem, MissingPlan } from './missing-messages.ts'
import type { MissingReply } from './missing-thread.ts'

/** The other side of the thread that reads a backup: one answer after the other. */
export class MissingClient {
  readonly #worker: Worker
  #waiting: PromiseWithResolvers<MissingReply> = Promise.withResolvers()

  constructor(data: MissingData, signal?: AbortSignal) {
    this.#worker = startThread('missing-thread', import.meta.url, data)
    this.#worker.on('message', (reply: MissingReply) => this.#waiting.resolve(reply))
    this.#worker.on('error', (error) => this.#waiting.reject(error as Error))
    this.#worker.on('exit', () => this.#waiting.reject(new Error('The thread ended before its work')))
    // Whoever waits is told; when nobody does, it is no fault.
    this.#waiting.promise.catch(() => {})
    if (signal !== undefined) this.#worker.unref()
    signal?.addEventListener('abort', () => void this.#worker.terminate(), { once: true })
  }

  /** To be asked first. @throws {BackupUnusable} @throws {AccountUnknown} */
  async plan(): Promise<MissingPlan> {
    const reply = await this.#answer()
    if (reply.kind !== 'plan') throw new Error('Cannot happen: the thread answered before it was asked')
    return reply.plan
  }

  /** @returns Null at the end. */
  async next(): Promise<MissingItem | null> {
    this.#waiting = Promise.withResolvers()
    this.#worker.postMessage('more')
    const reply = await this.#answer()
    return reply.kind === 'item' ? reply.item : null
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  async #answer(): Promise<MissingReply> {
    const reply = await this.#waiting.promise
    if (reply.kind === 'failed') throw errorOf(reply.error)
    return reply
  }
}
