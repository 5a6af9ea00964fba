import type { Reply } from '../wire/reply.ts'
import type { OutcomeStage } from './message.ts'

export interface SmtpFailureFacts {
  readonly stage: OutcomeStage
  readonly kind: 'temporary' | 'permanent'
  readonly reason: SmtpFailureReason
  readonly reply: Reply | null
  readonly status: string
}

/**
 * `tls-failed`: the handshake failed, the caller may try again on a new connection with `tls.mode` 'none' where policy
 * allows it. `tls-required`: the server offers no STARTTLS, or its certificate is not good, and the mode is 'required'.
 */
export type SmtpFailureReason =
  | 'unreachable'
  | 'timeout'
  | 'closed'
  | 'protocol'
  | 'refused'
  | 'tls-failed'
  | 'tls-required'

/**
 * No conversation with this host could be opened, so nothing was sent.
 *
 * The next host of the domain may still take the message (RFC 5321 §5.1), also when the kind is permanent.
 */
export class SmtpFailure extends Error {
  readonly stage: OutcomeStage
  readonly kind: 'temporary' | 'permanent'
  readonly reason: SmtpFailureReason
  readonly reply: Reply | null
  /** RFC 3463, for the `Status` of a DSN. */
  readonly status: string

  constructor(text: string, facts: SmtpFailureFacts, options?: ErrorOptions) {
    super(text, options)
    this.name = 'SmtpFailure'
    this.stage = facts.stage
    this.kind = facts.kind
    this.reason = facts.reason
    this.reply = facts.reply
    this.status = facts.status
  }
}
