/**
 * The sockets' thread's side of the body thread, which writes large bodies: one that arrives slowly, or the sync of one
 * of fifty megabytes, must not hold up the commits of others. The thread starts with the first large body.
 */
import type { Worker } from 'node:worker_threads'
import type { Random } from '../../base/random.ts'
import { StoreUnavailable } from '../errors.ts'
import type { BodyThreadData, BodyThreadRequest, BodyThreadReply } from './body-thread.ts'
import { startThread } from './start-thread.ts'

interface Finished {
  /** Below `big/`. */
  readonly file: string
  readonly hash: Uint8Array
}

export interface BodyFile {
  write(chunk: Uint8Array): void
  /** @returns A promise while more than so many octets wait for the disk. @throws {StoreUnavailable} By the promise. */
  writtenTo(aheadOctets: number): Promise<void> | undefined
  /** @throws {StoreUnavailable} */
  finish(): Promise<Finished>
  abort(): void
}

export class BodyFiles {
  readonly #data: BodyThreadData
  readonly #random: Random
  readonly #open = new Map<string, StreamedFile>()
  /** Named by rows, or about to be. */
  readonly #accepted = new Set<string>()
  #worker: Worker | null = null

  constructor(data: BodyThreadData, random: Random) {
    this.#data = data
    this.#random = random
  }

  begin(): BodyFile {
    const id = Buffer.from(this.#random.bytes(16)).toString('hex')
    const worker = this.#thread()
    const file = new StreamedFile(id, {
      post: (request, transfer) => worker.postMessage(request, transfer),
      ended: () => this.#open.delete(id),
      isAccepted: (name) => this.#accepted.has(name),
    })
    this.#open.set(id, file)
    return file
  }

  /** From now on a late `abort` leaves the file alone. */
  markAccepted(file: string): void {
    this.#accepted.add(file)
    // Only who finished a body aborts it, and soon: old names need not be known.
    if (this.#accepted.size > 10_000) this.#accepted.delete(this.#accepted.values().next().value!)
  }

  unmarkAccepted(file: string): void {
    this.#accepted.delete(file)
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = null
  }

  #thread(): Worker {
    if (this.#worker !== null) return this.#worker
    const worker = startThread('body-thread', import.meta.url, this.#data)
    worker.on('message', (reply: BodyThreadReply) => this.#open.get(reply.id)?.receive(reply))
    const fail = (error: Error) => {
      if (this.#worker === worker) this.#worker = null
      for (const file of this.#open.values()) file.fail(error.message)
    }
    worker.on('error', (error) => fail(error as Error))
    worker.on('exit', () => fail(new Error('the body thread ended')))
    worker.unref()
    this.#worker = worker
    return worker
  }
}

interface Surrounding {
  post(request: BodyThreadRequest, transfer: ArrayBuffer[]): void
  ended(): void
  isAccepted(file: string): boolean
}

class StreamedFile implements BodyFile {
  readonly #id: string
  readonly #around: Surrounding
  #waitingOctets = 0
  #allowedOctets = 0
  #drained: PromiseWithResolvers<void> | null = null
  #finished: PromiseWithResolvers<Finished> | null = null
  #file: string | null = null
  #error: StoreUnavailable | null = null

  constructor(id: string, around: Surrounding) {
    this.#id = id
    this.#around = around
  }

  write(chunk: Uint8Array): void {
    if (this.#error !== null) return
    // A chunk is often a view into a larger buffer that others read from: only a copy can be handed over.
    const copy = new Uint8Array(chunk)
    this.#waitingOctets += copy.length
    this.#around.post({ id: this.#id, kind: 'write', chunk: copy }, [copy.buffer])
  }

  writtenTo(aheadOctets: number): Promise<void> | undefined {
    if (this.#error !== null) return Promise.reject(this.#error)
    if (this.#waitingOctets <= aheadOctets) return undefined
    this.#allowedOctets = aheadOctets
    this.#drained ??= Promise.withResolvers()
    return this.#drained.promise
  }

  finish(): Promise<Finished> {
    if (this.#error !== null) return Promise.reject(this.#error)
    this.#finished = Promise.withResolvers()
    this.#around.post({ id: this.#id, kind: 'finish' }, [])
    return this.#finished.promise
  }

  abort(): void {
    if (this.#file !== null && this.#around.isAccepted(this.#file)) return
    this.#around.post({ id: this.#id, kind: 'abort', file: this.#file }, [])
    this.#around.ended()
  }

  receive(reply: BodyThreadReply): void {
    if (reply.kind === 'failed') {
      this.fail(reply.error)
    } else if (reply.kind === 'written') {
      this.#waitingOctets -= reply.octets
      if (this.#drained !== null && this.#waitingOctets <= this.#allowedOctets) {
        this.#drained.resolve()
        this.#drained = null
      }
    } else {
      this.#file = reply.file
      this.#around.ended()
      this.#finished?.resolve({ file: reply.file, hash: reply.hash })
    }
  }

  fail(text: string): void {
    this.#error = new StoreUnavailable(text)
    this.#drained?.reject(this.#error)
    this.#drained = null
    this.#finished?.reject(this.#error)
    this.#around.ended()
  }
}
