import type { Link } from '../../journey/event.ts'
import type { Reply } from '../wire/reply.ts'

export interface OutgoingRecipient {
  /** `local-part@domain`, without angle brackets; the domain as A-labels unless the message is `smtpUtf8`. */
  readonly forwardPath: string
  /** `ORCPT` as it goes on the wire (`rfc822;bob@hamburger.edu`, xtext), RFC 3461 §4.2. Sent when DSN is offered. */
  readonly orcpt: string | null
  /** `NOTIFY` as it goes on the wire, RFC 3461 §4.1. */
  readonly notify: string | null
}

/**
 * Octets of the body from an offset on; an empty array stands for its end, a short one does not.
 *
 * Called one at a time. A rejection ends the connection without a final dot, so that no half message is accepted.
 */
export type BodySource = (offset: number, octets: number) => Promise<Uint8Array>

/** Our own trouble: the message could not be read to its end. */
export class MessageUnreadable extends Error {
  constructor(options?: ErrorOptions) {
    super('Cannot read the message to be sent', options)
    this.name = 'MessageUnreadable'
  }
}

export interface OutgoingMessage {
  /** `local-part@domain`; '' is the null reverse-path, RFC 5321 §4.5.5. */
  readonly reversePath: string
  /** At least one, of whatever domains this host takes mail for; each forward-path once. */
  readonly recipients: readonly OutgoingRecipient[]
  /** Prefix and body together, for SIZE, RFC 1870 §3; an estimate does. */
  readonly octets: number
  /** Prefix or body hold octets over 127. */
  readonly eightBit: boolean
  /** Addresses or header fields need RFC 6531. */
  readonly smtpUtf8: boolean
  /** Fields that stand above the body: one char per octet, ends with CRLF, or is ''. */
  readonly prefix: string
  readonly body: BodySource
  /** `ENVID` as it goes on the wire and `RET`, RFC 3461 §4.3 and §4.4. */
  readonly envid: string | null
  readonly ret: 'FULL' | 'HDRS' | null
  /** Absent: nothing. */
  readonly asks?: MailAsks
}

/** What MAIL asks for besides; said to servers that offer it. */
export interface MailAsks {
  /** Never sent but over TLS with a good certificate; REQUIRETLS is said when it is offered, RFC 8689 §4.2.1. */
  readonly requireTls: boolean
  /** RFC 6710 §4.1: -9 to 9. */
  readonly priority: number
  /** RFC 2852: seconds that are left; with mode R over 0. R goes only to servers that keep it. */
  readonly deliverBy: { readonly seconds: number; readonly mode: 'R' | 'N'; readonly trace: boolean } | null
  /** RFC 3030 §3: sent in chunks, with lines of any kind. */
  readonly binary: boolean
}

/** Where in the conversation something was decided. */
export type OutcomeStage =
  | 'connect'
  | 'greeting'
  | 'hello'
  | 'starttls'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'end-of-data'

/** What became of one recipient at this host. An unknown failure is temporary. */
export interface Outcome {
  readonly kind: 'delivered' | 'temporary' | 'permanent'
  readonly stage: OutcomeStage
  /** Null: the remote said nothing, the reason is ours. */
  readonly reply: Reply | null
  /** RFC 3463, always there: the remote's, or derived from its code (x.0.0), or our own. For the `Status` of a DSN. */
  readonly status: string
  /** One line for a person and for `Diagnostic-Code`: the reply with its code, or our reason. No CR or LF. */
  readonly text: string
}

export interface SendResult {
  /** One for each recipient, by `forwardPath`. */
  readonly recipients: ReadonlyMap<string, Outcome>
  /** The same as the `wire` event carries. */
  readonly link: Link
}
