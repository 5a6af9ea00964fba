/**
 * Entries as text, three for many entries: strings are handed to another thread ten times quicker than the objects in
 * them, and three long ones quicker than many short ones. This runs on the thread that serves sockets, for every message
 * and between other work: what JSON.stringify need not see is put together by hand. packed-batch.ts reads it.
 */
import type { JourneyEntry, JourneyEvent } from '../../journey/event.ts'
import { packSpoken } from '../../journey/spoken.ts'

/** What goes to the thread, and into the file, in one piece. Each text begins with a line: since when its times count. */
export interface PackedBatch {
  /** Time of its newest entry. */
  readonly at: number
  /** A line for each entry: journey's id, time, facts as JSON, which may be missing. */
  readonly heads: string
  /** A line for each event, and behind it what was said. '' when there is none. */
  readonly events: string
  /** Those of the kind `wire`, which are kept for a shorter time. */
  readonly wire: string
}

export class GatheredBatch {
  /** Times are milliseconds after the first: a small number is sooner written than a long one. */
  readonly #since: number
  #at: number
  #heads = ''
  #events = ''
  #wire = ''
  #places = 0
  #entries = 0

  /** @param at Of the first entry. */
  constructor(at: number) {
    this.#since = at
    this.#at = at
  }

  /** With a hundred for what an entry takes besides. */
  get chars(): number {
    return this.#heads.length + this.#events.length + this.#wire.length + 100 * this.#entries
  }

  get entries(): number {
    return this.#entries
  }

  /** @param at Of its first event, else of the append. */
  add({ journeyId, facts, events }: JourneyEntry, at: number): void {
    this.#entries++
    if (at > this.#at) this.#at = at
    this.#heads += `${journeyId} ${at - this.#since} ${facts === undefined ? '' : JSON.stringify(facts)}\n`
    for (const event of events) {
      const packed = this.#pack(journeyId, event)
      if (event.kind === 'wire') this.#wire += packed
      else this.#events += packed
    }
  }

  packed(): PackedBatch {
    const since = `${this.#since}\n`
    const text = (lines: string) => (lines === '' ? '' : since + lines)
    return { at: this.#at, heads: text(this.#heads), events: text(this.#events), wire: text(this.#wire) }
  }

  /** The place lets events and wire be put together again. */
  #pack(journeyId: string, event: JourneyEvent): string {
    const { at, dtUs, stage, kind, witness, visibleTo, branch, data, spoken } = event
    const said = spoken === undefined ? '' : packSpoken(spoken)
    const json = JSON.stringify(branch === undefined ? [data] : [data, branch])
    let viewers = ''
    for (const viewer of visibleTo) viewers += viewer[0]
    const names = `${stage} ${kind} ${witness[0]}${viewers}`
    return `${journeyId} ${said.length} ${++this.#places} ${at - this.#since} ${dtUs} ${names} ${json}\n${said}`
  }
}
