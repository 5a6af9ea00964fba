/** From the outcomes of one attempt to what is written about each recipient. Values in, values out. */
import type { QueueEntry, QueueRecipient, Settlement } from '../store/queue.ts'
import type { Random } from '../base/random.ts'
import type { OutcomeMap, RecipientOutcome, Success } from './outcome.ts'
import { localTrouble } from './outcome.ts'
import { nextAttempt } from './retry-schedule.ts'
import { tooLate } from './wishes.ts'

/** action-value of RFC 3464 §2.3.3 */
export type Action = 'failed' | 'delayed' | Success

export interface Verdict {
  readonly recipient: QueueRecipient
  readonly outcome: RecipientOutcome
  readonly state: 'delivered' | 'failed' | 'waiting'
  /** What the sender is told now; null: nothing. */
  readonly action: Action | null
}

/** A temporary failure is final only when the letter's life is over, or the time its sender gave it. */
export function judge(
  entry: QueueEntry,
  outcomes: OutcomeMap,
  now: number,
  delayWarningMs: number,
): Verdict[] {
  const expired = now >= entry.expiresAt
  const late = tooLate(entry, now)
  const delayed = isDelayed(entry, now, delayWarningMs)
  return entry.recipients.filter(isOpen).map((recipient) => {
    const known = outcomes.get(recipient.forwardPath) ?? localTrouble('No outcome is known', 'queue')
    if (known.kind === 'delivered') {
      const action = successToTell(entry, recipient, known)
      return { recipient, outcome: known, state: 'delivered', action }
    }
    const outcome = known.kind === 'temporary' && late !== null ? late : known
    const state = outcome.kind === 'permanent' || expired ? 'failed' : 'waiting'
    if (entry.reversePath === '') return { recipient, outcome, state, action: null }
    const told = state === 'failed' || delayed
    if (state === 'waiting' && delayed && isOverdue(entry, now)) {
      const action = wants(recipient.notify, 'DELAY') ? 'delayed' : null
      // RFC 2852 §4.1.3.
      return { recipient, outcome: { ...outcome, status: '4.4.7' }, state, action }
    }
    const action = state === 'failed' ? 'failed' : 'delayed'
    const keyword = state === 'failed' ? 'FAILURE' : 'DELAY'
    return { recipient, outcome, state, action: told && wants(recipient.notify, keyword) ? action : null }
  })
}

/** Its sender wants to be told that it takes longer than he gave it. */
function isOverdue({ wishes: { deliverBy } }: Pick<QueueEntry, 'wishes'>, now: number): boolean {
  return deliverBy?.mode === 'notify' && now >= deliverBy.at
}

/** Neither delivered with all that belongs to it, nor given up. */
function isOpen({ state }: QueueRecipient): boolean {
  return state === 'waiting' || state === 'reporting'
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
  retryMs?: readonly number[] | undefined,
): Settlement {
  const next = Math.max(nextAttempt(entry.attempts + 1, now, random, retryMs), notBefore)
  // The last attempt is made when the letter's life ends, not after it; and what its sender wants to know by a certain
  // time is looked at then.
  const by = entry.wishes.deliverBy?.at ?? 0
  const last = by > now ? Math.min(entry.expiresAt, by) : entry.expiresAt
  return {
    accountId: entry.accountId,
    queueId: entry.queueId,
    recipients: verdicts.map(({ recipient, outcome, state }) => ({
      forwardPath: recipient.forwardPath,
      state,
      reply: outcome.host === null ? outcome.text : `${outcome.host}: ${outcome.text}`,
    })),
    nextAttemptAt: Math.max(now, Math.min(next, last)),
  }
}

/**
 * Whether a first warning is due: to our own people only, a stranger's patience is his server's affair. Who asked to be
 * told at a certain time (RFC 2852, by-mode N) is told then, whoever it is, and not earlier.
 */
function isDelayed(entry: QueueEntry, now: number, delayWarningMs: number): boolean {
  if (entry.delayWarned) return false
  const { deliverBy, holdUntil } = entry.wishes
  if (deliverBy?.mode === 'notify') return isOverdue(entry, now)
  // RFC 4865: while it was held back nobody was late.
  const since = Math.max(entry.createdAt, holdUntil ?? 0)
  return entry.accountId !== 0 && now - since >= delayWarningMs
}

/**
 * What a success report says of this recipient; null: none is wanted from us. RFC 3461 §5.2.2 and §5.2.3. Never about the
 * null reverse-path: a report about a report could go round for ever, RFC 5321 §6.1.
 */
export function successToTell(
  entry: Pick<QueueEntry, 'reversePath'>,
  { notify }: Pick<QueueRecipient, 'notify'>,
  { success, always }: RecipientOutcome,
): Success | null {
  if (entry.reversePath === '' || success === undefined) return null
  const asked = notify !== null && wants(notify, 'SUCCESS')
  return asked || (always === true && notify?.toUpperCase() !== 'NEVER') ? success : null
}

/** notify-esmtp-value = "NEVER" / 1#notify-list-element, RFC 3461 §4.1; without it, failures and delays: §5.2.6, §5.2.5 */
function wants(notify: string | null, keyword: 'SUCCESS' | 'FAILURE' | 'DELAY'): boolean {
  return notify === null || notify.toUpperCase().split(',').includes(keyword)
}
