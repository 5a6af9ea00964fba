import type { HomePlan } from './local-delivery.ts'
import type { OutcomeMap } from './outcome.ts'
import type { Held, QueueWorld } from './world.ts'
import { Recorder } from '../journey/recorder.ts'
import type { QueueEntry } from '../store/queue.ts'
import { delivered, localTrouble, type RecipientOutcome, stillWaiting } from './outcome.ts'
import { acceptStaged, restageBody } from './restage.ts'
import { successToTell } from './verdict.ts'

/** What came of filing a row at home, for `conclude`. */
export interface FiledAtHome {
  readonly outcomes: OutcomeMap
  readonly recorder: Recorder
  /** Those that are durable as delivered already. */
  readonly settled: ReadonlySet<string>
}

/**
 * Files a queued letter here; a report of success follows in `conclude`, and after a crash before that, `unreported`. The copies are written in the transaction that marks their recipients as delivered, so
 * that a crash makes neither a second copy nor none.
 *
 * Never rejects: what the store would not do is a temporary outcome of those it was for.
 */
export async function fileAtHome(world: QueueWorld, held: Held, plan: HomePlan): Promise<FiledAtHome> {
  const { entry } = held
  const recorder = new Recorder(world.clock, entry.journeyId !== null)
  const outcomes = new Map<string, RecipientOutcome>(plan.outcomes)
  const reached = stillWaiting(entry).filter(
    (recipient) => outcomes.get(recipient.forwardPath)?.kind === 'delivered',
  )
  if (reached.length === 0) return { outcomes, recorder, settled: new Set() }
  try {
    const staged = await restageBody(world.store, entry.body)
    const settle = {
      accountId: entry.accountId,
      queueId: entry.queueId,
      recipients: reached.map((recipient) => {
        const { forwardPath } = recipient
        const outcome = outcomes.get(forwardPath)!
        // A report is a message of its own, so it is written after this; the row stays until it is.
        const state = successToTell(entry, recipient, outcome) === null ? 'delivered' : 'reporting'
        return {
          forwardPath,
          state,
          reply: outcome.success === 'expanded' ? expandedReply : 'Filed',
        } as const
      }),
      // For those that are left: `conclude` says when, in a moment; should we die before, soon.
      nextAttemptAt: world.clock.now() + 60_000,
    }
    const accepted = await acceptStaged(world.store, staged, plan.filings, plan.queue, [settle])
    // Where it lies is the recipient's affair; the sender reads "delivered" in `attempt.end`.
    const options = { visibleTo: ['recipient', 'admin'] } as const
    for (const { mailboxId, uid } of accepted.filed) {
      recorder.event('filed', 'file', { mailboxId, uid }, options)
    }
    if (accepted.filed.length > 0) {
      const recipients = reached.map(({ forwardPath }) => forwardPath)
      world.filed?.({ recipients, filed: accepted.filed, octets: entry.body.octets })
    }
    for (const queueId of accepted.queueIds) recorder.event('queued', 'queue.in', { queueId })
    return { outcomes, recorder, settled: new Set(reached.map((recipient) => recipient.forwardPath)) }
  } catch (error) {
    world.log.error('cannot file a queued letter', { queueId: entry.queueId, error })
    for (const { forwardPath } of reached) {
      outcomes.set(forwardPath, localTrouble('Local error in filing', 'file'))
    }
  }
  return { outcomes, recorder, settled: new Set() }
}

const expandedReply = 'Passed on to all members'

/** What is still to be told of those that were filed when the process died. */
export function unreported({ recipients }: QueueEntry): Map<string, RecipientOutcome> {
  const left = recipients.filter(({ state }) => state === 'reporting')
  return new Map(
    left.map(({ forwardPath, lastReply }) => {
      const success = lastReply === expandedReply ? 'expanded' : 'delivered'
      return [forwardPath, { ...delivered('Filed', 'file'), success }]
    }),
  )
}
