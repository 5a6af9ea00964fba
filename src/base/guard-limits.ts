/** Bounds on what strangers, and accounts that may have been stolen, can do; part of `Limits`. */
export interface GuardLimits {
  /** As `connectionsPerAddress`, for all of an IPv4 /24 or an IPv6 /48. */
  readonly connectionsPerNetwork: number
  /** New connections of one address, or of an IPv6 /64. */
  readonly connectionsPerMinute: number
  readonly networkConnectionsPerMinute: number
  /** Addresses whose rates are remembered at once; past it the one seen longest ago is forgotten. */
  readonly addressesRemembered: number
  /** Notes of one kind that the guards keep: bans, greylisted triplets, known senders … */
  readonly notesPerKind: number
  /** Mail transactions that one address begins; strangers only. */
  readonly messagesPerHour: number
  /** Recipients that one address names; strangers only. */
  readonly recipientsPerHour: number
  /** SMTP commands that bring no message nearer (NOOP, RSET, VRFY, EHLO anew …), since the last message. */
  readonly idleCommands: number
  /** Unknown recipients of one address that are refused at once; each further one of the hour is answered later. */
  readonly unknownRecipients: number
  /** By how much later, each time. */
  readonly tarpitStepMs: number
  /** Where the tarpit ends: 421. */
  readonly tarpitMaxMs: number
  /** Events of one address within an hour that ban it. */
  readonly banUnknownRecipients: number
  readonly banLoginFailures: number
  readonly banProtocolErrors: number
  /** The first ban; each further one within a week lasts twice as long. */
  readonly banMs: number
  readonly banMaxMs: number
  /** How long a greylisted sender waits; RFC 6647 §5: a minute to 24 hours. */
  readonly greylistDelayMs: number
  /** Within which it must come again. */
  readonly greylistRetryMs: number
  /** How long a sender who came again is known. */
  readonly greylistPassMs: number
  /** Octets before the greeting are waited for so long. */
  readonly greetingDelayMs: number
  /** A sender never seen before waits so long before its message is accepted. */
  readonly firstTimeDelayMs: number
  /** What one DNS blocklist may take; past it, it has nothing to say. */
  readonly blocklistTimeoutMs: number
  readonly submissionMessagesPerHour: number
  readonly submissionMessagesPerDay: number
  readonly submissionRecipientsPerHour: number
  readonly submissionRecipientsPerDay: number
  /** Recipients that an account has not written to before. */
  readonly submissionNewRecipientsPerDay: number
  /** Refusals of one address that have a journey each in ten minutes; further ones are counted in one. */
  readonly refusalsPerAddress: number
}

export const guardLimitsThatMayBeZero = ['greetingDelayMs', 'firstTimeDelayMs', 'tarpitStepMs'] as const

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

export const defaultGuardLimits: GuardLimits = {
  connectionsPerNetwork: 500,
  connectionsPerMinute: 600,
  networkConnectionsPerMinute: 3_000,
  addressesRemembered: 50_000,
  notesPerKind: 100_000,
  messagesPerHour: 5_000,
  recipientsPerHour: 20_000,
  idleCommands: 100,
  unknownRecipients: 10,
  tarpitStepMs: 1_000,
  tarpitMaxMs: 20_000,
  banUnknownRecipients: 100,
  banLoginFailures: 50,
  banProtocolErrors: 100,
  banMs: hour,
  banMaxMs: 7 * day,
  greylistDelayMs: minute,
  greylistRetryMs: day,
  greylistPassMs: 36 * day,
  greetingDelayMs: 0,
  firstTimeDelayMs: 0,
  blocklistTimeoutMs: 5_000,
  submissionMessagesPerHour: 500,
  submissionMessagesPerDay: 2_000,
  submissionRecipientsPerHour: 2_000,
  submissionRecipientsPerDay: 5_000,
  submissionNewRecipientsPerDay: 500,
  refusalsPerAddress: 20,
}
