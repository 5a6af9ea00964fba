/**
 * What a session tells the journeys of the messages it collected: one entry for each message that was retrieved, or
 * removed by QUIT, with the lines that led there. Passwords are replaced here, before anything is kept.
 *
 * Only the recipient and the admin may see it: when somebody reads is not for the sender to know.
 */
import { type Json, noJourneys, type Viewer, type WireLine } from '../../journey/event.ts'
import { wireLineOctets } from '../../journey/recorder.ts'
import { formatFirstLine, type Reply } from '../wire/reply.ts'
import type { MaildropMessage } from './maildrop.ts'
import type { Pop3DoorOptions } from './options.ts'
import type { Answer, Phase, SessionPeer } from './session.ts'

/** Messages remembered before they are handed over in a group; those removed later get a second entry. */
const groupMax = 500
/** Lines kept of the log-in, and for each message. */
const linesMax = 20

const visibleTo: readonly Viewer[] = ['recipient', 'admin']

/** A line of the client, waiting for the reply. */
export interface Asked {
  readonly phase: Phase
  readonly line: WireLine
}

interface Collected {
  readonly message: MaildropMessage
  readonly lines: WireLine[]
  /** Null until it is known, and for a message that has no journey. */
  journeyId: string | null
  at: number
  dtUs: number
  retrieved: boolean
  deleted: boolean
}

export class CollectionLog {
  readonly #options: Pop3DoorOptions
  readonly #peer: SessionPeer
  readonly #startUs: number
  readonly #opening: WireLine[] = []
  readonly #closing: WireLine[] = []
  #collected = new Map<number, Collected>()
  /** TLS version, once there is one. */
  tls: string | null = null

  constructor(options: Pop3DoorOptions, peer: SessionPeer) {
    this.#options = options
    this.#peer = peer
    this.#startUs = options.clock.monotonicUs()
  }

  get enabled(): boolean {
    return this.#options.journeys !== noJourneys
  }

  greeted(reply: Reply): void {
    this.#opening.push(this.#line('S', formatFirstLine(reply)))
  }

  heard(phase: Phase, line: string): Asked {
    return { phase, line: this.#line('C', recordedLine(phase, line)) }
  }

  /** Puts a command and its reply where they belong. */
  said(asked: Asked, { reply, next, about }: Answer): void {
    const both = [asked.line, this.#line('S', formatFirstLine(reply))]
    if (about !== undefined) keep(this.#of(about)?.lines, both)
    else if (next === 'close') this.#closing.push(...both)
    else if (asked.phase !== 'transaction') keep(this.#opening, both)
  }

  /** The message has been sent whole. */
  retrieved(message: MaildropMessage, journeyId: string | null): void {
    const collected = this.#of(message)
    if (collected === null) return
    keep(collected.lines, [this.#line('S', `(message, ${message.octets} octets)`), this.#line('S', '.')])
    collected.journeyId = journeyId
    collected.at = this.#options.clock.now()
    collected.dtUs = this.#sinceStart()
    collected.retrieved = true
  }

  /** The message is gone for good. */
  removed(message: MaildropMessage, journeyId: string | null): void {
    const collected = this.#of(message)
    if (collected === null) return
    collected.journeyId = journeyId
    collected.deleted = true
  }

  /** The journey of a message that this session has retrieved; undefined when it does not know. */
  journeyOf(message: MaildropMessage): string | null | undefined {
    const collected = this.#collected.get(message.messageNumber)
    return collected?.retrieved ? collected.journeyId : undefined
  }

  /** Gives the journeys what was recorded, and forgets it; what was only marked for deletion is no news. */
  handOver(): void {
    const { journeys, log } = this.#options
    const collected = this.#collected
    this.#collected = new Map()
    for (const one of collected.values()) {
      if (one.journeyId === null || !(one.retrieved || one.deleted)) continue
      try {
        journeys.append({ journeyId: one.journeyId, events: [this.#event(one)] })
      } catch (error) {
        log.error('journey not recorded', { error })
      }
    }
  }

  #event(one: Collected) {
    const { message, retrieved, deleted } = one
    const lines: Json[] = [...this.#opening, ...one.lines, ...this.#closing].map((line) => ({ ...line }))
    return {
      at: one.at,
      dtUs: one.dtUs,
      stage: 'collected' as const,
      kind: 'collect.pop3' as const,
      witness: 'observed' as const,
      visibleTo,
      data: {
        host: this.#options.hostname,
        client: this.#peer.remoteName,
        server: this.#peer.localName,
        tls: this.tls,
        messageNumber: message.messageNumber,
        uid: message.uid,
        uniqueId: message.uniqueId,
        octets: message.octets,
        retrieved,
        deleted,
        lines,
      },
    }
  }

  /** The record of a message; null when recording is off. */
  #of(message: MaildropMessage): Collected | null {
    if (!this.enabled) return null
    const found = this.#collected.get(message.messageNumber)
    if (found !== undefined) return found
    if (this.#collected.size >= groupMax) this.handOver()
    const at = this.#options.clock.now()
    const made: Collected = {
      message,
      lines: [],
      journeyId: null,
      at,
      dtUs: this.#sinceStart(),
      retrieved: false,
      deleted: false,
    }
    this.#collected.set(message.messageNumber, made)
    return made
  }

  #line(side: 'C' | 'S', text: string): WireLine {
    const kept = text.length > wireLineOctets ? `${text.slice(0, wireLineOctets)}…` : text
    return { side, text: kept, dtUs: this.#sinceStart() }
  }

  #sinceStart(): number {
    return this.#options.clock.monotonicUs() - this.#startUs
  }
}

function keep(lines: WireLine[] | undefined, more: readonly WireLine[]): void {
  if (lines !== undefined && lines.length < linesMax) lines.push(...more)
}

/** The line as it may be remembered. Before log-in anything unknown may be a password in the wrong place. */
export function recordedLine(phase: Phase, line: string): string {
  if (phase === 'sasl') return '***'
  const [keyword = '', second] = line.split(' ', 2)
  switch (keyword.toUpperCase()) {
    case 'PASS':
      return `${keyword} ***`
    case 'AUTH':
      return second === undefined || second === line.slice(5) ? line : `${keyword} ${second} ***`
    case 'USER':
    case 'CAPA':
    case 'STLS':
    case 'QUIT':
      return line
    default:
      return phase === 'transaction' ? line : '***'
  }
}
