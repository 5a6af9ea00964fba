import type { MilterConfig } from '../../../base/filter-config.ts'

export interface MilterSettings extends MilterConfig {
  readonly headerOctets: number
  /** Of one packet that the milter sends. */
  readonly packetOctets: number
  /** Changes to one message. */
  readonly changes: number
}

/** No milter says more at once: a body comes in pieces of 65,535 octets, a header field is far shorter. */
export const packetOctets = 1_048_576
export const changesMax = 1_000
