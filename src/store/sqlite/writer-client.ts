/**
 * The sockets' thread's side of the writer: gathers what is asked during one turn of the event loop into one post, and
 * gives each answer to who asked. Copying a body into that post is all that its octets cost this thread.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { errorOf } from './error-of.ts'
import { StoreUnavailable } from '../errors.ts'
import type { AcceptAnswer, AcceptCall } from './accept.ts'
import type { Delta } from './delta.ts'
import type { CallOf, OperationName, ResultOf } from './operations.ts'
import type { Lane, WriterCall, WriterData, WriterMessage, WriterPost, WriterReply } from './protocol.ts'
import { recordHeaderOctets } from './record.ts'
import { startThread } from './start-thread.ts'

/**
 * Calls of one turn that are sent on without waiting for its end, so that the writer works on them while this thread
 * prepares the next: when a hundred senders are answered at once, they are also all heard of again at once.
 */
const callsAtOnce = 64
/** For so long what nobody waits for may wait for company: a post wakes the writer, and a commit goes to the disk. */
const patienceMs = 5
/** For so long after somebody read the tables, more is read: what is done then is committed at once. */
export const readingMs = 100

interface Asker {
  resolve(value: unknown): void
  reject(error: Error): void
}

export interface WriterHooks {
  /** Before those who asked are answered. */
  changed(deltas: readonly Delta[]): void
  queued(): void
  /** The queue got so many entries more; negative: less. */
  queueGrew(by: number): void
  /** Octets of bodies became garbage. */
  freed(octets: number): void
  /** It will not answer any more. */
  died(cause: Error): void
}

/** A body in memory that goes with the next post. */
export type Chunks = readonly Uint8Array[]

export class WriterClient {
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #log: Log
  readonly #hooks: WriterHooks
  readonly #readingMs: number
  readonly #askers = new Map<number, Asker>()
  #lastId = 0
  #lanes = emptyLanes()
  #calls = 0
  #bodies: { chunks: Chunks; at: number }[] = []
  #bodyOctets = 0
  #flushSet = false
  #patience: NodeJS.Timeout | null = null
  #dead: Error | null = null
  /** Whether the tables show all that was answered. */
  #isReadable = true
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<unknown> | null = null
  #committedAt = Number.NEGATIVE_INFINITY
  #ready: Asker | null = null
  #closed: Asker | null = null

  constructor(data: WriterData, clock: Clock, log: Log, hooks: WriterHooks) {
    this.#clock = clock
    this.#log = log
    this.#hooks = hooks
    this.#readingMs = data.readingMs
    this.#worker = startThread('writer-thread', import.meta.url, data)
    this.#worker.on('message', (message: WriterMessage) => this.#receive(message))
    this.#worker.on('error', (error) => this.#die(error as Error))
    this.#worker.on('exit', () => this.#die(new Error('the writer thread ended')))
  }

  /** @throws {StoreUnopenable} @throws {Error} The tables cannot be opened. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ready = { resolve: () => resolve(), reject }
    })
  }

  ask<Name extends OperationName>(
    name: Name,
    call: CallOf<Name>,
    lane: Lane = 'interactive',
  ): Promise<ResultOf<Name>> {
    return this.#enter(lane, (id) => {
      this.#lanes[lane].push({ id, name, call })
    }) as Promise<ResultOf<Name>>
  }

  /** @param makeCall Makes the call, given where its body will be in the post; not used for a body in a file. */
  accept(octets: number, chunks: Chunks | null, makeCall: (at: number) => AcceptCall): Promise<AcceptAnswer> {
    return this.#enter('interactive', (id) => {
      const at = this.#bodyOctets
      const call = makeCall(at)
      if (chunks !== null) {
        this.#bodies.push({ chunks, at })
        this.#bodyOctets += recordHeaderOctets + octets
      }
      this.#lanes.interactive.push({ id, name: 'accept', call })
    }) as Promise<AcceptAnswer>
  }

  /** Fulfilled at once when a change was committed so lately, else when one has been. */
  async proveWrites(withinMs: number): Promise<void> {
    if (this.#dead === null && performance.now() - this.#committedAt <= withinMs) return
    await this.ask('touch', null)
    this.#committedAt = performance.now()
  }

  /**
   * Must be waited for by who reads what accept, sessions and the queue change.
   *
   * @returns Fulfilled when the tables show all of it that was answered before; null: they do. Rejected with
   *   StoreUnavailable when they cannot, now.
   */
  readable(): Promise<unknown> | null {
    this.noteReading()
    if (this.#isReadable) return null
    this.#reading ??= this.ask('nothing', null).finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  /** Somebody reads figures that may be a little old. */
  noteReading(): void {
    this.#readAt = performance.now()
  }

  /** Waits for what has been asked. */
  async close(): Promise<void> {
    if (this.#dead !== null) return
    this.#flush()
    this.#dead = new Error('the store is closed')
    await new Promise<void>((resolve) => {
      this.#closed = { resolve: () => resolve(), reject: () => resolve() }
      this.#worker.postMessage('close')
    })
    await this.#worker.terminate()
  }

  #enter(lane: Lane, add: (id: number) => void): Promise<unknown> {
    if (this.#dead !== null)
      return Promise.reject(new StoreUnavailable('the store stopped', { cause: this.#dead }))
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      add(id)
      this.#askers.set(id, { resolve, reject })
      if (++this.#calls >= callsAtOnce) this.#flush()
      else if (lane === 'patient') this.#flushSoon()
      else this.#flushThisTurn()
    })
  }

  #flushThisTurn(): void {
    if (this.#flushSet) return
    this.#flushSet = true
    // After all sockets of this turn have been read: what they bring shares one post, one sync and one commit.
    setImmediate(() => {
      this.#flushSet = false
      this.#flush()
    })
  }

  /** Unless something else takes it along before. */
  #flushSoon(): void {
    this.#patience ??= setTimeout(() => {
      this.#patience = null
      this.#flush()
    }, patienceMs)
  }

  #flush(): void {
    if (this.#dead !== null || this.#calls === 0) return
    const bodies = this.#bodyOctets === 0 ? null : this.#joinBodies()
    const { interactive, patient, bulk } = this.#lanes
    const calls = patient.length === 0 ? interactive : [...interactive, ...patient]
    const reading = performance.now() - this.#readAt < this.#readingMs
    const post: WriterPost = { nowMs: this.#clock.now(), interactive: calls, bulk, reading, bodies }
    this.#lanes = emptyLanes()
    this.#calls = 0
    this.#worker.postMessage(post, bodies === null ? [] : [bodies])
  }

  #joinBodies(): ArrayBuffer {
    const joined = Buffer.allocUnsafeSlow(this.#bodyOctets)
    for (const { chunks, at } of this.#bodies) {
      let to = at + recordHeaderOctets
      for (const chunk of chunks) {
        joined.set(chunk, to)
        to += chunk.length
      }
    }
    this.#bodies = []
    this.#bodyOctets = 0
    return joined.buffer as ArrayBuffer
  }

  #receive(message: WriterMessage): void {
    if (message.kind === 'done') this.#answer(message)
    else if (message.kind === 'ready') this.#ready?.resolve(undefined)
    else if (message.kind === 'closed') this.#closed?.resolve(undefined)
    else if (message.kind === 'failed') this.#die(new Error(message.text))
    else if (message.kind === 'unopened') this.#refuse(errorOf(message.error))
    else this.#log.warn(message.text, message.facts)
  }

  /** Whoever opens it says why, once. */
  #refuse(cause: Error): void {
    this.#dead = cause
    this.#ready?.reject(cause)
  }

  #answer(reply: WriterReply): void {
    this.#isReadable = reply.readable
    if (reply.deltas.length > 0) this.#hooks.changed(reply.deltas)
    if (reply.queueGrowth !== 0) this.#hooks.queueGrew(reply.queueGrowth)
    // What only looked (a lease of nothing) has written nothing.
    if (reply.deltas.length > 0 || reply.queueGrowth !== 0) this.#committedAt = performance.now()
    for (const { id, value } of reply.done) this.#takeAsker(id)?.resolve(value)
    for (const { id, error } of reply.failed) {
      if (error.name === StoreUnavailable.name)
        this.#log.error('store: the disk fails', { text: error.message })
      this.#takeAsker(id)?.reject(errorOf(error))
    }
    if (reply.queued) this.#hooks.queued()
    if (reply.freedOctets > 0) this.#hooks.freed(reply.freedOctets)
  }

  #takeAsker(id: number): Asker | undefined {
    const asker = this.#askers.get(id)
    this.#askers.delete(id)
    return asker
  }

  #die(cause: Error): void {
    const closing = this.#closed !== null
    if (!closing) {
      if (this.#dead !== null) return
      this.#dead = cause
      this.#log.error('store: the writer died; nothing more is accepted', { error: cause })
      this.#hooks.died(cause)
    }
    this.#closed?.resolve(undefined)
    this.#ready?.reject(cause)
    for (const asker of this.#askers.values()) {
      asker.reject(new StoreUnavailable('the store stopped', { cause }))
    }
    this.#askers.clear()
  }
}

function emptyLanes(): Record<Lane, WriterCall[]> {
  return { interactive: [], patient: [], bulk: [] }
}
