/**
 * Entries as octets of three texts: those are handed to another thread without a copy, where the objects in them would
 * cost ten times what they cost here. What JSON.stringify need not see is put together by hand. packed-batch.ts reads it.
 */
import type { JourneyEntry, JourneyEvent } from '../../journey/event.ts'
import { packSpoken } from '../../journey/spoken.ts'
import { GatheredText } from './gathered-text.ts'

/** What goes to the thread, and into the file, in one piece. Each text begins with a line: since when its times count. */
export interface PackedBatch {
  /** Time of its newest entry. */
  readonly at: number
  readonly entries: number
  /** A line for each entry: journey's id, time, facts as JSON, which may be missing. */
  readonly heads: Uint8Array<ArrayBuffer>
  /** A line for each event, and behind it what was said. Empty when there is none. */
  readonly events: Uint8Array<ArrayBuffer>
  /** Those of the kind `wire`, which are kept for a shorter time. */
  readonly wire: Uint8Array<ArrayBuffer>
}

/** What an entry counts for besides its text. */
const entryOctets = 100
/**
 * Entries that are packed one after the other. The thread that serves sockets has other work between two messages, after
 * which nothing that packs is in the processor's caches any more: the first costs as much as the next five.
 */
export const packedAtOnce = 16

export class GatheredEntries {
  readonly #heads = new GatheredText()
  readonly #events = new GatheredText()
  readonly #wire = new GatheredText()
  /** Those that are not packed yet. */
  #unpacked: JourneyEntry[] = []
  readonly #unpackedMax: number
  #times: number[] = []
  #entries = 0
  #places = 0
  /** Times are milliseconds after the first: a small number is sooner written than a long one. */
  #since = 0
  #newest = 0

  /** @param unpackedMax Entries that may wait for others to be packed with. */
  constructor(unpackedMax = packedAtOnce) {
    this.#unpackedMax = unpackedMax
  }

  /** Of what is packed. */
  get octets(): number {
    return this.#heads.length + this.#events.length + this.#wire.length + entryOctets * this.#entries
  }

  /** @param entry Is not changed any more. @param at Of its first event, else of the append. */
  add(entry: JourneyEntry, at: number): void {
    this.#unpacked.push(entry)
    this.#times.push(at)
    if (this.#unpacked.length >= this.#unpackedMax) this.#packAll()
  }

  /** @returns All that was added since the last call; null when that was nothing. */
  take(): PackedBatch | null {
    this.#packAll()
    const entries = this.#entries
    if (entries === 0) return null
    this.#entries = 0
    const [heads, events, wire] = [this.#heads.take(), this.#events.take(), this.#wire.take()]
    return { at: this.#newest, entries, heads, events, wire }
  }

  #packAll(): void {
    const [entries, times] = [this.#unpacked, this.#times]
    this.#unpacked = []
    this.#times = []
    for (let i = 0; i < entries.length; i++) this.#packOne(entries[i]!, times[i]!)
  }

  #packOne({ journeyId, facts, events }: JourneyEntry, at: number): void {
    if (this.#entries++ === 0) this.#begin(at)
    if (at > this.#newest) this.#newest = at
    const known = facts === undefined ? '' : JSON.stringify(facts)
    this.#heads.add(`${journeyId} ${at - this.#since} ${known}\n`)
    for (const event of events) {
      const text = event.kind === 'wire' ? this.#wire : this.#events
      if (text.length === 0) text.add(`${this.#since}\n`)
      text.add(this.#pack(journeyId, event))
    }
  }

  #begin(at: number): void {
    this.#since = at
    this.#newest = at
    this.#places = 0
    this.#heads.add(`${at}\n`)
  }

  /** The place lets events and wire be put together again. */
  #pack(journeyId: string, event: JourneyEvent): string {
    const { at, dtUs, stage, kind, witness, visibleTo, branch, data, spoken } = event
    const said = spoken === undefined ? '' : packSpoken(spoken)
    const json = JSON.stringify(branch === undefined ? [data] : [data, branch])
    let viewers = ''
    for (const viewer of visibleTo) viewers += viewer[0]
    const times = `${++this.#places} ${at - this.#since} ${dtUs}`
    return `${journeyId} ${said.length} ${times} ${stage} ${kind} ${witness[0]}${viewers} ${json}\n${said}`
  }
}

/** What a batch takes while it waits. */
export function octetsOf({ entries, heads, events, wire }: PackedBatch): number {
  return heads.length + events.length + wire.length + entryOctets * entries
}
