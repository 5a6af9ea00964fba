import type { Filing } from '../store/store.ts'
import type { NewQueueEntry, QueueEntry } from '../store/queue.ts'
import type { QueueWorld } from './world.ts'
import type { Verdict } from './verdict.ts'
import { timeOrderedId } from '../base/random.ts'
import { normaliseDomain } from '../store/address.ts'
import { noWishes } from '../store/queue.ts'
import { type Report, returnedHeaderOctets, writeReport } from './dsn.ts'

/** A report and its way to the sender, not written anywhere yet. */
export interface ReportLetter {
  readonly report: Report
  readonly filings: readonly Filing[]
  readonly queue: readonly NewQueueEntry[]
  readonly journeyId: string | null
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
  action: 'failed' | 'delayed',
): Promise<ReportLetter | null> {
  const { random, hostname, clock } = world
  const now = clock.now()
  const report = writeReport({
    action,
    entry,
    recipients: about,
    header: await originalHeader(world, entry),
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
    eightBit: report.smtpUtf8,
    smtpUtf8: report.smtpUtf8,
    envid: null,
    ret: null,
    wishes: noWishes,
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
  if (home === null) return { report, filings: [], queue: [row], journeyId }
  const outcome = home.outcomes.get(entry.reversePath)
  if (outcome?.kind === 'permanent') return null
  if (outcome?.kind === 'delivered') return { report, filings: home.filings, queue: home.queue, journeyId }
  // A full mailbox: the queue tries it again, as it would any other letter.
  return { report, filings: [], queue: [row], journeyId }
}

/** What stands above the first empty line of the letter as it was queued; null when it cannot be read. */
async function originalHeader(world: QueueWorld, entry: QueueEntry): Promise<Buffer | null> {
  const prefix = Buffer.from(entry.prefix, 'latin1')
  try {
    const start = await world.store.readBody(entry.body, 0, Math.min(entry.body.octets, returnedHeaderOctets))
    return cutHeader(Buffer.concat([prefix, start]))
  } catch (error) {
    world.log.warn('cannot read the letter that a report is about', { queueId: entry.queueId, error })
    return prefix.length === 0 ? null : cutHeader(prefix)
  }
}

function cutHeader(octets: Buffer): Buffer {
  const end = octets.indexOf('\r\n\r\n')
  if (end >= 0 && end + 2 <= returnedHeaderOctets) return octets.subarray(0, end + 2)
  // Whole lines only; an empty line first means that there is no header at all.
  if (octets.indexOf('\r\n') === 0) return Buffer.alloc(0)
  const bounded = octets.subarray(0, returnedHeaderOctets)
  return bounded.subarray(0, bounded.lastIndexOf('\r\n') + 2)
}
