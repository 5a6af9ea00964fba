import type { HomePlan } from './local-delivery.ts'
import type { OutcomeMap } from './outcome.ts'
import type { Held, QueueWorld } from './world.ts'
import { Recorder } from '../journey/recorder.ts'
import { localTrouble, type RecipientOutcome, stillWaiting } from './outcome.ts'
import { acceptStaged, restageBody } from './restage.ts'

/** What came of filing a row at home, for `conclude`. */
export interface FiledAtHome {
  readonly outcomes: OutcomeMap
  readonly recorder: Recorder
  /** Those that are durable as delivered already. */
  readonly settled: ReadonlySet<string>
}

/**
 * Files a queued letter here. The copies are written in the transaction that marks their recipients as delivered, so
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
      recipients: reached.map(({ forwardPath }) => ({
        forwardPath,
        state: 'delivered' as const,
        reply: 'Filed',
      })),
      // For those that are left: `conclude` says when, in a moment; should we die before, soon.
      nextAttemptAt: world.clock.now() + 60_000,
    }
    const accepted = await acceptStaged(world.store, staged, plan.filings, plan.queue, [settle])
    // Where it lies is the recipient's affair; the sender reads "delivered" in `attempt.end`.
    const options = { visibleTo: ['recipient', 'admin'] } as const
    for (const { mailboxId, uid } of accepted.filed) {
      recorder.event('filed', 'file', { mailboxId, uid }, options)
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
