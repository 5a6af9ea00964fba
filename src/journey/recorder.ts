import type { Clock } from '../base/clock.ts'
import type { EventData, JourneyEvent, Kind, Stage, Viewer, Witness } from './event.ts'

/** Octets of one wire line that are kept; the rest is cut, and said to be. */
export const wireLineOctets = 1_000
/** Lines of one transaction that are kept; beyond it they are counted. */
export const wireLinesMax = 500
/** Chars of them, so that a client that never comes to a transaction takes no half megabyte of memory. */
export const wireCharsMax = 65_536

const everybody: readonly Viewer[] = ['sender', 'recipient', 'admin']

export interface EventOptions {
  readonly branch?: string
  readonly witness?: Witness
  readonly visibleTo?: readonly Viewer[]
}

/**
 * Gathers what happens on one connection (or to one queue row) and hands it over in one piece for each transaction.
 *
 * Secrets are replaced here, by whoever calls `wire` with `redacted`, and not at display.
 */
export class Recorder {
  readonly #clock: Clock
  readonly #startUs: number
  #events: JourneyEvent[] = []
  /** A `Spoken`. */
  #spoken: (string | number)[] = []
  #lines = 0
  #chars = 0
  #omitted = 0
  readonly enabled: boolean

  constructor(clock: Clock, enabled = true) {
    this.#clock = clock
    this.#startUs = clock.monotonicUs()
    this.enabled = enabled
  }

  /** Remembers one line of the dialogue. @param text One char per octet, without CRLF, secrets already replaced. */
  wire(side: 'C' | 'S', text: string): void {
    if (!this.enabled) return
    this.#keep(side, text.length > wireLineOctets ? `${text.slice(0, wireLineOctets)}…` : text, 1)
  }

  /** Remembers a reply of ours in one piece. @param text As it goes to the client. @param lines In it. */
  reply(text: string, lines: number): void {
    if (!this.enabled) return
    if (text.length <= wireLineOctets) this.#keep('S', text, lines)
    else for (const line of text.split('\r\n').slice(0, -1)) this.wire('S', line)
  }

  event(stage: Stage, kind: Kind, data: EventData, options: EventOptions = {}): void {
    if (this.enabled) this.#events.push(this.#happened(stage, kind, data, options))
  }

  /** Turns the lines gathered since the last call into one `wire` event. */
  closeWire(stage: Stage, data: EventData = {}, options: EventOptions = {}): void {
    if (this.#lines === 0) return
    const known = this.#omitted === 0 ? data : { ...data, omitted: this.#omitted }
    this.#events.push({ ...this.#happened(stage, 'wire', known, options), spoken: this.#spoken })
    this.#spoken = []
    this.#lines = 0
    this.#chars = 0
    this.#omitted = 0
  }

  /** Hands over what was gathered, and forgets it. */
  take(): JourneyEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }

  #keep(side: 'C' | 'S', text: string, lines: number): void {
    if (this.#lines >= wireLinesMax || this.#chars >= wireCharsMax) {
      this.#omitted += lines
      return
    }
    this.#lines += lines
    this.#chars += text.length
    this.#spoken.push(side, this.#clock.monotonicUs() - this.#startUs, text)
  }

  #happened(stage: Stage, kind: Kind, data: EventData, options: EventOptions): JourneyEvent {
    const { witness = 'observed', visibleTo = everybody, branch } = options
    const dtUs = this.#clock.monotonicUs() - this.#startUs
    const at = this.#clock.now()
    return branch === undefined
      ? { at, dtUs, stage, kind, witness, visibleTo, data }
      : { at, dtUs, stage, kind, witness, visibleTo, data, branch }
  }
}
