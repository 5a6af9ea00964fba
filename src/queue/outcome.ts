import type { Outcome } from '../smtp/client/message.ts'
import type { SmtpFailure } from '../smtp/client/failure.ts'
import type { QueueEntry, QueueRecipient } from '../store/queue.ts'

/** What one attempt came to for one recipient. */
export interface RecipientOutcome {
  readonly kind: 'delivered' | 'temporary' | 'permanent'
  /** RFC 3463. */
  readonly status: string
  /** One line for people; whoever wrote it, no CR or LF. */
  readonly text: string
  /** Name of the host that said `text`; null when the reason is our own. */
  readonly host: string | null
  /** Where in the conversation, for journeys. */
  readonly stage: string
  /** What a success report would say; absent: whoever took the message reports, or nobody does. */
  readonly success?: Success
  /** It is told without being asked for in NOTIFY, but for NEVER: RFC 2852. */
  readonly always?: boolean
}

/** `relayed`: handed to a server that will not report. `expanded`: to the members of an alias. RFC 3464 §2.3.3 */
export type Success = 'delivered' | 'relayed' | 'expanded'

export type OutcomeMap = ReadonlyMap<string, RecipientOutcome>

/** Characters of a remote's reply that are kept in the row, the report and the journey. */
const textMax = 500

export function delivered(text: string, stage: string): RecipientOutcome {
  return { kind: 'delivered', status: '2.0.0', text, host: null, stage }
}

/** The same for every recipient that still waits. */
export function forAll(entry: Pick<QueueEntry, 'recipients'>, outcome: RecipientOutcome): OutcomeMap {
  return new Map(stillWaiting(entry).map((recipient) => [recipient.forwardPath, outcome]))
}

export function stillWaiting(entry: Pick<QueueEntry, 'recipients'>): QueueRecipient[] {
  return entry.recipients.filter((recipient) => recipient.state === 'waiting')
}

/** An unknown error is temporary: mail refused for good is lost. */
export function localTrouble(text: string, stage: string): RecipientOutcome {
  return { kind: 'temporary', status: '4.3.0', text, host: null, stage }
}

export function outcomeOfSend(outcome: Outcome, host: string): RecipientOutcome {
  return {
    kind: outcome.kind,
    status: outcome.status,
    text: harmless(outcome.text),
    host: outcome.reply === null ? null : host,
    stage: outcome.stage,
  }
}

export function outcomeOfFailure(failure: SmtpFailure, host: string): RecipientOutcome {
  return {
    kind: failure.kind,
    status: failure.status,
    text: harmless(failure.message),
    host: failure.reply === null ? null : host,
    stage: failure.stage,
  }
}

/** What strangers say as one bounded line of printable ASCII: it is stored, shown and mailed. */
export function harmless(text: string): string {
  const line = text.replace(/[\r\n\t]+/g, ' ').replace(/[^\x20-\x7e]/g, '?')
  return line.length > textMax ? `${line.slice(0, textMax)}...` : line
}
