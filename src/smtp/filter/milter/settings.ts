import type { Place } from '../reach.ts'
import type { OnFailure } from '../verdict.ts'

export interface MilterSettings {
  readonly name: string
  readonly place: Place
  readonly onFailure: OnFailure
  readonly connectTimeoutMs: number
  /** For an answer to a command of the envelope. */
  readonly commandTimeoutMs: number
  /** For an answer to a part of the message. */
  readonly contentTimeoutMs: number
  /** Of one packet that the milter sends. */
  readonly packetOctets: number
  /** Of a message that the milter may change, and of all its changes. */
  readonly maxOctets: number
  readonly headerOctets: number
  /** Changes to one message. */
  readonly changes: number
}
