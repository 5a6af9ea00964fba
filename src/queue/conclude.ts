/**
 * The end of one attempt, written as one transaction.
 *
 * Promised: a row leaves the queue in the same transaction in which its report is filed or queued, so that no letter is
 * ever both gone and unreported, and none is reported twice. When the store fails nothing has changed, and the same end
 * is written again later; until it is, the lease is kept, because a letter that has been handed over must not go twice.
 *
 * The unit of "once" is one recipient of one row. Two copies are possible in one case only, and SMTP leaves no way out
 * of it (RFC 1047): the remote took the letter, and its 250, or our commit of it, was lost.
 */
import type { Accepted } from '../store/store.ts'
import type { JourneyFacts, Link } from '../journey/event.ts'
import type { QueueEntry } from '../store/queue.ts'
import type { OutcomeMap } from './outcome.ts'
import type { QueueWorld } from './world.ts'
import { Recorder } from '../journey/recorder.ts'
import { signatureFacts } from '../message/signature-facts.ts'
import { prepareReport, type ReportLetter } from './report-letter.ts'
import { acceptStaged, stageOctets } from './restage.ts'
import { judge, settlementOf, type Verdict } from './verdict.ts'
import { takeOutgoing } from './world.ts'

export interface Attempt {
  readonly entry: QueueEntry
  readonly outcomes: OutcomeMap
  /** What the attempt recorded so far; its events are handed over with the end. */
  readonly recorder: Recorder
  readonly link: Link | null
  /** Recipients that another transaction has written as filed at home, or as filed with a report to come. */
  readonly settled?: ReadonlySet<string>
  /** The destination is left alone until then; 0: nothing is known against it. */
  readonly notBefore: number
}

/**
 * Writes the end of an attempt.
 *
 * @throws {StoreUnavailable} Nothing was changed; call it again.
 */
export async function conclude(world: QueueWorld, attempt: Attempt): Promise<void> {
  const { entry } = attempt
  const now = world.clock.now()
  const verdicts = judge(entry, attempt.outcomes, now, world.limits.delayWarningMs)
  const told = verdicts.filter((each) => each.action !== null)
  const open = verdicts.filter(
    (each) => each.action !== null || attempt.settled?.has(each.recipient.forwardPath) !== true,
  )
  const ended = settlementOf(
    entry,
    open,
    now,
    attempt.notBefore,
    world.random,
    world.retryMs?.() ?? undefined,
  )
  const warned = told.some((each) => each.action === 'delayed')
  const settlement = warned ? { ...ended, delayWarned: true } : ended
  const letter = told.length === 0 ? null : await prepareReport(world, entry, told)
  if (letter !== null) {
    const accepted = await acceptReport(world, letter, settlement)
    recordReport(world, attempt, letter, accepted)
  } else if (open.length > 0) await world.writer.write(settlement)
  if (letter === null && told.some((each) => each.action === 'failed')) {
    world.log.warn('nobody can be told of a failure', { queueId: entry.queueId, to: entry.reversePath })
  }
  report(world, attempt, verdicts, settlement.nextAttemptAt)
}

async function acceptReport(
  world: QueueWorld,
  letter: ReportLetter,
  settlement: ReturnType<typeof settlementOf>,
): Promise<Accepted> {
  const staged = await stageOctets(world.store, letter.report.octets)
  return acceptStaged(world.store, staged, letter.filings, letter.queue, [settlement])
}

/** The report's own journey, and the line in the letter's that leads to it. */
function recordReport(world: QueueWorld, attempt: Attempt, letter: ReportLetter, accepted: Accepted): void {
  const { entry, recorder } = attempt
  const { messageId } = letter.report
  const { action } = letter
  recorder.event('queued', 'dsn', {
    action,
    to: entry.reversePath,
    messageId,
    ...(letter.journeyId === null ? {} : { journeyId: letter.journeyId }),
  })
  if (letter.journeyId === null) return
  const own = new Recorder(world.clock)
  own.event('written', 'dsn', { action, about: entry.journeyId, octets: letter.report.octets.length })
  for (const field of letter.signatures) own.event('written', 'sign.dkim', { ...signatureFacts(field) })
  for (const queueId of accepted.queueIds) own.event('queued', 'queue.in', { queueId })
  for (const { mailboxId, uid } of accepted.filed) own.event('filed', 'file', { mailboxId, uid })
  world.journeys.append({
    journeyId: letter.journeyId,
    facts: {
      direction: letter.queue.length > 0 ? 'out' : 'local',
      state: letter.queue.length > 0 ? 'queued' : 'delivered',
      messageId,
      reversePath: '',
      recipients: [entry.reversePath],
      senderAccountId: entry.accountId,
      queueIds: accepted.queueIds,
      accountIds: letter.filings.map((filing) => filing.accountId),
    },
    events: takeOutgoing(own),
  })
}

function report(world: QueueWorld, attempt: Attempt, verdicts: readonly Verdict[], nextAt: number): void {
  const { entry, recorder, link } = attempt
  for (const { recipient, outcome, state } of verdicts) {
    const { status, text, host, stage } = outcome
    recorder.event(
      'spoken',
      'attempt.end',
      { outcome: outcome.kind, state, status, text, host, at: stage },
      { branch: recipient.forwardPath },
    )
  }
  const waiting = verdicts.filter((each) => each.state === 'waiting')
  const failed = verdicts.some((each) => each.state === 'failed')
  const { queueId, domain, attempts } = entry
  if (waiting.length > 0) {
    recorder.event('queued', 'queue.retry', {
      queueId,
      attempts: attempts + 1,
      nextAttemptAt: nextAt,
      expiresAt: entry.expiresAt,
      recipients: waiting.map((each) => each.recipient.forwardPath),
      reason: waiting[0]!.outcome.text,
    })
    const facts = { queueId, domain, nextAttemptAt: nextAt, reason: waiting[0]!.outcome.text }
    // An outage is one line in the log, not one for each letter.
    if (attempt.notBefore > 0) world.log.debug('mail waits', facts)
    else world.log.info('mail waits', facts)
  }
  if (failed) {
    const first = verdicts.find((each) => each.state === 'failed')!
    world.log.info('mail failed', { queueId, domain, reason: first.outcome.text })
  }
  if (entry.journeyId === null) return
  const state: JourneyFacts['state'] = waiting.length > 0 ? 'retrying' : failed ? 'refused' : 'delivered'
  world.journeys.append({
    journeyId: entry.journeyId,
    facts: { state, ...(link === null ? {} : { links: [link] }) },
    events: takeOutgoing(recorder),
  })
}
