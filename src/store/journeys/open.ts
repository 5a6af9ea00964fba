/**
 * The journeys of messages, in a file of their own, written by a thread of its own: losing them loses no mail, and mail
 * never waits for them. What recorders hand over is gathered and sent on one batch at a time; when more comes than the
 * disk takes, the oldest of what waits is dropped, and counted.
 */
import { mkdirSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Journey, JourneyEntry, JourneyQuery, JourneyReader, JourneySink } from '../../journey/event.ts'
import { startThread } from '../sqlite/start-thread.ts'
import type { PackedNote } from '../notes/note-base.ts'
import type { NoteDisk } from '../notes/open-notes.ts'
import { GatheredEntries, octetsOf, packedAtOnce, type PackedBatch } from './gathered-entries.ts'
import type { JourneyReply, JourneyRequest, JourneyThreadData } from './protocol.ts'

export interface JourneyOptions {
  /** The data folder; made when it is missing. */
  readonly folder: string
  readonly limits: Pick<Limits, 'journeyFactsMs' | 'journeyWireMs'>
  readonly log: Log
  readonly clock: Clock
  /** Octets of the file; the oldest goes beyond. */
  readonly fileOctets?: number
  /** Octets that may wait for the thread. */
  readonly waitingOctets?: number
}

/** The notes lie beside the journeys and are written by the same thread: another one would cost memory for nothing. */
export interface Journeys extends JourneySink, JourneyReader, NoteDisk {
  /** Waits until all that was appended has been written. */
  flush(): Promise<void>
  close(): Promise<void>
}

const fileOctetsMax = 256 * 1024 * 1024
const waitingOctetsMax = 32 * 1024 * 1024
/** What an entry may take before it is packed. */
const unpackedOctets = 100 * 1024
/** Nobody waits for a journey, and who looks for one gets what waits, too. A batch costs one transaction, whatever is in it. */
const gatherMs = 250
/** Octets that go to the thread in one piece, and into the file as one: who reads a journey unpacks all of it. */
const batchOctets = 256 * 1024
const expireEveryMs = 10 * 60_000
/** Chars of JSON that are parsed before others get their turn: about a millisecond. */
const parsedAtOnce = 200_000

/** @throws {Error} The thread cannot start. A damaged file is no error: it is set aside and begun anew. */
export async function openJourneys(options: JourneyOptions): Promise<Journeys> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const journeys = new JourneyFile(options)
  await journeys.ready
  return journeys
}

class JourneyFile implements Journeys {
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #log: Log
  readonly #waitingMax: number
  readonly #askers = new Map<number, PromiseWithResolvers<JourneyReply>>()
  #lastId = 0
  readonly #gathered: GatheredEntries
  readonly #batchOctets: number
  /** What the thread has not been given yet, the oldest first. */
  #waiting: PackedBatch[] = []
  #waitingOctets = 0
  #sending = false
  #cancelSend: (() => void) | null = null
  #dropped = 0
  #dead: Error | null = null
  #cancelExpiry: () => void

  constructor(options: JourneyOptions) {
    this.#clock = options.clock
    this.#log = options.log
    this.#waitingMax = options.waitingOctets ?? waitingOctetsMax
    const unpacked = Math.min(packedAtOnce, Math.ceil(this.#waitingMax / unpackedOctets))
    this.#gathered = new GatheredEntries(unpacked)
    this.#batchOctets = Math.min(batchOctets, this.#waitingMax / 16)
    const data: JourneyThreadData = {
      folder: options.folder,
      factsMs: options.limits.journeyFactsMs,
      wireMs: options.limits.journeyWireMs,
      fileOctets: options.fileOctets ?? fileOctetsMax,
    }
    this.#worker = startThread('journeys-thread', import.meta.url, data)
    this.#worker.on('message', (reply: JourneyReply) => this.#receive(reply))
    this.#worker.on('error', (error) => this.#die(error as Error))
    this.#worker.on('exit', () => this.#die(new Error('the journeys thread ended')))
    this.ready = this.#ask({ kind: 'expire', nowMs: options.clock.now() }).then(
      () => {},
      (error) => this.#cannotOpen(error),
    )
    this.#cancelExpiry = this.#expireLater()
  }

  append(entry: JourneyEntry): void {
    if (this.#dead !== null) return
    this.#gathered.add(entry, entry.events[0]?.at ?? this.#clock.now())
    if (this.#gathered.octets >= this.#batchOctets) this.#sendGathered()
    else this.#cancelSend ??= this.#clock.after(gatherMs, () => this.#sendGathered())
  }

  async find(query: JourneyQuery): Promise<Journey[]> {
    this.#postAll()
    const reply = await this.#ask({ kind: 'find', query })
    const journeys: Journey[] = []
    let parsed = 0
    for (const text of reply.journeys ?? []) {
      journeys.push(JSON.parse(text) as Journey)
      parsed += text.length
      if (parsed < parsedAtOnce) continue
      parsed = 0
      await nextTurn()
    }
    return journeys
  }

  async loadNotes(after: number, limit: number): Promise<readonly PackedNote[]> {
    return (await this.#ask({ kind: 'notes.load', after, limit })).notes ?? []
  }

  async writeNotes(notes: readonly PackedNote[]): Promise<void> {
    if (notes.length > 0) await this.#ask({ kind: 'notes.write', notes })
  }

  async flush(): Promise<void> {
    this.#postAll()
    await this.#ask({ kind: 'flush' })
  }

  async close(): Promise<void> {
    if (this.#dead !== null) return
    this.#cancelExpiry()
    this.#postAll()
    const closed = this.#ask({ kind: 'close' })
    // From here on the thread's end is no surprise, and nothing more is taken.
    this.#dead = new Error('the journeys are closed')
    await closed.catch(() => {})
    await this.#worker.terminate()
  }

  #sendGathered(): void {
    this.#endBatch()
    while (this.#waitingOctets > this.#waitingMax) this.#drop()
    if (!this.#sending) void this.#send()
  }

  #endBatch(): void {
    this.#cancelSend?.()
    this.#cancelSend = null
    const batch = this.#gathered.take()
    if (batch === null) return
    this.#waiting.push(batch)
    this.#waitingOctets += octetsOf(batch)
  }

  #drop(): void {
    const batch = this.#waiting.shift()!
    this.#waitingOctets -= octetsOf(batch)
    const before = this.#dropped
    this.#dropped += batch.entries
    if (before === 0 || Math.floor(before / 1_000) < Math.floor(this.#dropped / 1_000)) {
      this.#log.warn('journeys: the disk is too slow; parts of journeys are dropped', {
        dropped: this.#dropped,
      })
    }
  }

  /** Sends batch after batch, each when the one before has been written. */
  async #send(): Promise<void> {
    this.#sending = true
    try {
      while (this.#waiting.length > 0 && this.#dead === null) await this.#post()
    } catch {
      // The thread died; it has been logged, and nobody is told: no mail is lost.
    } finally {
      this.#sending = false
    }
  }

  /** Whoever asks next finds all that was appended. */
  #postAll(): void {
    this.#endBatch()
    while (this.#waiting.length > 0) this.#post().catch(() => {})
  }

  #post(): Promise<unknown> {
    const batch = this.#waiting.shift()!
    this.#waitingOctets -= octetsOf(batch)
    const handedOver = [batch.heads.buffer, batch.events.buffer, batch.wire.buffer]
    return this.#ask({ kind: 'append', batch }, handedOver)
  }

  /** @param handedOver Memory that is the thread's from then on. */
  #ask(request: JourneyRequest, handedOver: ArrayBuffer[] = []): Promise<JourneyReply> {
    if (this.#dead !== null) return Promise.reject(this.#dead)
    const id = ++this.#lastId
    const asker = Promise.withResolvers<JourneyReply>()
    this.#askers.set(id, asker)
    this.#worker.postMessage({ id, request }, handedOver)
    // Appending waits for nobody: an answer that nobody takes must not end the process.
    asker.promise.catch(() => {})
    return asker.promise
  }

  #receive(reply: JourneyReply): void {
    if (reply.warning !== undefined) this.#log.warn(reply.warning.text, reply.warning.facts)
    const asker = this.#askers.get(reply.id)
    this.#askers.delete(reply.id)
    if (reply.error === undefined) asker?.resolve(reply)
    else asker?.reject(new Error(reply.error))
  }

  /** A full disk, for one: mail does not wait for journeys. @throws {Error} There is no thread. */
  #cannotOpen(error: Error): void {
    if (this.#dead !== null) throw error
    this.#log.warn('journeys: the file cannot be opened; until it can, nothing is recorded', { error })
  }

  #expireLater(): () => void {
    return this.#clock.after(expireEveryMs, () => {
      void this.#ask({ kind: 'expire', nowMs: this.#clock.now() })
      void this.#ask({ kind: 'notes.expire', nowMs: this.#clock.now() })
      this.#cancelExpiry = this.#expireLater()
    })
  }

  #die(cause: Error): void {
    if (this.#dead === null) {
      this.#dead = cause
      this.#cancelExpiry()
      this.#log.error('journeys: the thread died; journeys are not recorded any more', { error: cause })
    }
    for (const asker of this.#askers.values()) asker.reject(cause)
    this.#askers.clear()
  }
}
