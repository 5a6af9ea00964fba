import type { Clock } from '../base/clock.ts'
import type { EventData, JourneyEvent, Kind, Stage, Viewer, WireLine, Witness } from './event.ts'

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
  #lines: WireLine[] = []
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
    if (this.#lines.length >= wireLinesMax || this.#chars >= wireCharsMax) {
      this.#omitted++
      return
    }
    const kept = text.length > wireLineOctets ? `${text.slice(0, wireLineOctets)}…` : text
    this.#chars += kept.length
    this.#lines.push({ side, text: kept, dtUs: this.#clock.monotonicUs() - this.#startUs })
  }

  event(stage: Stage, kind: Kind, data: EventData, options: EventOptions = {}): void {
    if (!this.enabled) return
    const { witness = 'observed', visibleTo = everybody, branch } = options
    const dtUs = this.#clock.monotonicUs() - this.#startUs
    const happened: JourneyEvent = { at: this.#clock.now(), dtUs, stage, kind, witness, visibleTo, data }
    this.#events.push(branch === undefined ? happened : { ...happened, branch })
  }

  /** Turns the lines gathered since the last call into one `wire` event. */
  closeWire(stage: Stage, data: EventData = {}, options: EventOptions = {}): void {
    if (this.#lines.length === 0) return
    const lines = this.#lines
    const omitted = this.#omitted
    this.#lines = []
    this.#chars = 0
    this.#omitted = 0
    this.event(stage, 'wire', { ...data, lines, ...(omitted === 0 ? {} : { omitted }) }, options)
  }

  /** Hands over what was gathered, and forgets it. */
  take(): JourneyEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }
}
