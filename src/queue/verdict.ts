/** From the outcomes of one attempt to what is written about each recipient. Values in, values out. */
import type { QueueEntry, QueueRecipient, Settlement } from '../store/queue.ts'
import type { Random } from '../base/random.ts'
import type { OutcomeMap, RecipientOutcome } from './outcome.ts'
import { localTrouble, stillWaiting } from './outcome.ts'
import { nextAttempt } from './retry-schedule.ts'

export interface Verdict {
  readonly recipient: QueueRecipient
  readonly outcome: RecipientOutcome
  readonly state: 'delivered' | 'failed' | 'waiting'
}

/** A temporary failure is final only when the letter's life is over. */
export function judge(entry: QueueEntry, outcomes: OutcomeMap, now: number): Verdict[] {
  const expired = now >= entry.expiresAt
  return stillWaiting(entry).map((recipient) => {
    const outcome = outcomes.get(recipient.forwardPath) ?? localTrouble('No outcome is known', 'queue')
    if (outcome.kind === 'delivered') return { recipient, outcome, state: 'delivered' }
    const state = outcome.kind === 'permanent' || expired ? 'failed' : 'waiting'
    return { recipient, outcome, state }
  })
}

/**
 * @param notBefore The destination is left alone until then; 0 when nothing is known against it.
 */
export function settlementOf(
  entry: QueueEntry,
  verdicts: readonly Verdict[],
  now: number,
  notBefore: number,
  random: Random,
): Settlement {
  const next = Math.max(nextAttempt(entry.attempts + 1, now, random), notBefore)
  return {
    accountId: entry.accountId,
    queueId: entry.queueId,
    recipients: verdicts.map(({ recipient, outcome, state }) => ({
      forwardPath: recipient.forwardPath,
      state,
      reply: outcome.host === null ? outcome.text : `${outcome.host}: ${outcome.text}`,
    })),
    // The last attempt is made when the letter's life ends, not after it.
    nextAttemptAt: Math.max(now, Math.min(next, entry.expiresAt)),
  }
}

/**
 * Those whose failure the sender is to be told of. Nobody for the null reverse-path: a report about a report could go
 * round for ever, RFC 5321 §6.1. RFC 3461 §5.2.2: without NOTIFY, failures are told.
 */
export function failuresToReport(entry: QueueEntry, verdicts: readonly Verdict[]): Verdict[] {
  if (entry.reversePath === '') return []
  return verdicts.filter((each) => each.state === 'failed' && wants(each.recipient.notify, 'FAILURE'))
}

/** Those a first warning is due about: told to our own people only, a stranger's patience is his server's affair. */
export function delaysToReport(
  entry: QueueEntry,
  verdicts: readonly Verdict[],
  now: number,
  delayWarningMs: number,
): Verdict[] {
  if (entry.reversePath === '' || entry.accountId === 0 || entry.delayWarned) return []
  if (now - entry.createdAt < delayWarningMs) return []
  return verdicts.filter((each) => each.state === 'waiting' && wants(each.recipient.notify, 'DELAY'))
}

/** notify-esmtp-value = "NEVER" / 1#notify-list-element, RFC 3461 §4.1 */
function wants(notify: string | null, keyword: 'FAILURE' | 'DELAY'): boolean {
  return notify === null || notify.toUpperCase().split(',').includes(keyword)
}
