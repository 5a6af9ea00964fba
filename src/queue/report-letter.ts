import type { Filing } from '../store/store.ts'
import type { NewQueueEntry, QueueEntry } from '../store/queue.ts'
import type { QueueWorld } from './world.ts'
import type { Action, Verdict } from './verdict.ts'
import { timeOrderedId } from '../base/random.ts'
import { normaliseDomain } from '../store/address.ts'
import { noWishes } from '../store/queue.ts'
import { originalOf } from './original.ts'
import { type Report, writeReport } from './dsn.ts'

/** A report and its way to the sender, not written anywhere yet. */
export interface ReportLetter {
  readonly report: Report
  /** The gravest of what it says. */
  readonly action: Action
  readonly filings: readonly Filing[]
  readonly queue: readonly NewQueueEntry[]
  readonly journeyId: string | null
  /** DKIM-Signature fields above it. */
  readonly signatures: readonly string[]
}

/**
 * Writes the report and decides where it goes: the sender's mailbox here, or the queue.
 *
 * @returns Null when the sender cannot be told for good: no such user here. There is nobody left to tell.
 */
export async function prepareReport(
  world: QueueWorld,
  entry: QueueEntry,
  about: readonly Verdict[],
): Promise<ReportLetter | null> {
  const { random, hostname, clock } = world
  const now = clock.now()
  const action = gravest(about)
  const report = writeReport({
    action,
    entry,
    recipients: about,
    original: await originalOf(world, entry, action),
    hostname,
    now,
    random,
  })
  const journeyId = entry.journeyId === null ? null : timeOrderedId(now, random)
  const letter = {
    accountId: 0,
    // RFC 3464 §2: the envelope of a report has the null reverse-path.
    reversePath: '',
    recipients: [{ forwardPath: entry.reversePath, orcpt: null, notify: null }],
    prefix: '',
    eightBit: report.eightBit,
    smtpUtf8: report.smtpUtf8,
    envid: null,
    ret: null,
    // RFC 8689 §5: what must not be read on its way there must not be read on its way back.
    // RFC 6710 §4.6: it is as urgent as what it is about.
    wishes: { ...noWishes, requireTls: entry.wishes.requireTls, priority: entry.wishes.priority },
    expiresAt: now + world.limits.queueLifeMs,
    journeyId,
  }
  const written = entry.reversePath.slice(entry.reversePath.lastIndexOf('@') + 1)
  const row: NewQueueEntry = {
    ...letter,
    domain: normaliseDomain(written) ?? written.toLowerCase(),
    nextAttemptAt: now,
  }
  const home = await world.localDelivery.plan(letter, now)
  const outcome = home?.outcomes.get(entry.reversePath)
  if (outcome?.kind === 'permanent') return null
  if (home !== null && outcome?.kind === 'delivered') {
    return { report, action, filings: home.filings, queue: home.queue, journeyId, signatures: [] }
  }
  // Elsewhere; or a full mailbox: the queue tries it again, as it would any other letter.
  const signatures = home === null ? await signaturesFor(world, report) : []
  return {
    report,
    action,
    filings: [],
    queue: [{ ...row, prefix: signatures.join('') }],
    journeyId,
    signatures,
  }
}

function gravest(about: readonly Verdict[]): Action {
  const actions = about.flatMap(({ action }) => action ?? [])
  return (
    actions.find((each) => each === 'failed') ?? actions.find((each) => each === 'delayed') ?? actions[0]!
  )
}

/** A report that cannot be signed goes as it is: it is owed. */
async function signaturesFor(world: QueueWorld, report: Report): Promise<readonly string[]> {
  try {
    return (await world.signReport?.(report.octets, report.authorDomain)) ?? []
  } catch (error) {
    world.log.warn('cannot sign a report', { error })
    return []
  }
}
