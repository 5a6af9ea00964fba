/** What MAIL asked for, as it bears on one attempt. Values in, values out. */
import type { SmtpClient } from '../smtp/client/client.ts'
import type { MailAsks } from '../smtp/client/message.ts'
import type { QueueEntry, QueueRecipient } from '../store/queue.ts'
import { type RecipientOutcome, stillWaiting } from './outcome.ts'

/**
 * Whether it may go over TLS only. RFC 8689 §5: a report about such a message asks for it where it can, and is not lost
 * where it cannot.
 */
export function needsTls(entry: Pick<QueueEntry, 'wishes' | 'reversePath'>): boolean {
  return entry.wishes.requireTls && entry.reversePath !== ''
}

/** Whether a conversation is what the message needs, RFC 8689 §4.2.1 steps 4 and 5. */
export function isGoodFor(client: SmtpClient, entry: QueueEntry): boolean {
  return !needsTls(entry) || (client.tls?.trusted === true && client.extensions.has('REQUIRETLS'))
}

export function asksOf(entry: QueueEntry, client: SmtpClient, now: number): MailAsks {
  const { requireTls, priority, deliverBy, binary } = entry.wishes
  return {
    requireTls: requireTls && (needsTls(entry) || client.tls?.trusted === true),
    priority,
    deliverBy:
      deliverBy === null
        ? null
        : {
            seconds: Math.floor((deliverBy.at - now) / 1_000),
            mode: deliverBy.mode === 'return' ? 'R' : 'N',
            trace: deliverBy.trace,
          },
    binary,
  }
}

/**
 * The recipients as the next server hears of them. RFC 2852 §4.1.4.2: one that knows no DELIVERBY is asked to tell of
 * delays at least, which RFC 3461 §5.2.1 (c) would forbid.
 */
export function recipientsFor(entry: QueueEntry, client: SmtpClient, now: number): QueueRecipient[] {
  const waiting = stillWaiting(entry)
  if (!isPromisedNothing(entry, client, now)) return waiting
  return waiting.map((recipient) => ({ ...recipient, notify: withDelay(recipient.notify) }))
}

/** It goes, before its time, to a server that promises nothing about it. */
export function isPromisedNothing(entry: QueueEntry, client: SmtpClient, now: number): boolean {
  const { deliverBy } = entry.wishes
  return deliverBy?.mode === 'notify' && now < deliverBy.at && !client.extensions.has('DELIVERBY')
}

function withDelay(notify: string | null): string {
  if (notify === null) return 'FAILURE,DELAY'
  const keywords = notify.toUpperCase().split(',')
  return keywords.includes('NEVER') || keywords.includes('DELAY') ? notify : `${notify},DELAY`
}

/** RFC 2852: past that time a message is not delivered any more, if its sender would rather have it back. */
export function tooLate({ wishes }: Pick<QueueEntry, 'wishes'>, now: number): RecipientOutcome | null {
  const { deliverBy } = wishes
  if (deliverBy === null || deliverBy.mode !== 'return' || now < deliverBy.at) return null
  return {
    kind: 'permanent',
    // RFC 3463 §3.5: 5.4.7, delivery time expired.
    status: '5.4.7',
    text: 'It could not be delivered by the time that its sender asked for',
    host: null,
    stage: 'queue',
  }
}

/** RFC 8689 §4.2.1: why TLS that is not there ends the attempt; a host that is away for now is another matter. */
export function tlsRefusal(outcome: RecipientOutcome): RecipientOutcome {
  return { ...outcome, kind: 'permanent', status: '5.7.10' }
}

export const noRequireTls: RecipientOutcome = {
  kind: 'permanent',
  status: '5.7.30',
  text: 'The server does not promise to pass the message on over TLS only (REQUIRETLS), as its sender requires',
  host: null,
  stage: 'mail',
}
