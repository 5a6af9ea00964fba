import type { LeaseTerms, NewQueueEntry, QueueEntry } from '../queue.ts'
import { writeWishes } from './queue-row.ts'
import type { Transaction } from './transaction.ts'

/** What the tables gave a new entry; all else of it is known to who queued it. */
export interface Enqueued {
  readonly queueId: number
  readonly blobId: number
  readonly createdAt: number
  /** Null: nobody holds it. */
  readonly leasedUntil: number | null
}

/** @param terms On which an entry that is due at once is leased with this; null: it waits for `lease`. */
export function enqueue(
  tx: Transaction,
  entry: NewQueueEntry,
  blobId: number,
  octets: number,
  terms: LeaseTerms | null,
): Enqueued {
  const queueId = tx.nextOf('queue')
  const isDue = terms !== null && entry.nextAttemptAt <= terms.nowMs
  const leasedUntil = isDue ? terms.nowMs + terms.leaseMs : null
  tx.run(
    'INSERT INTO queue VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    entry.accountId,
    queueId,
    leasedUntil ?? entry.nextAttemptAt,
    entry.nextAttemptAt,
    leasedUntil,
    tx.nowMs,
    entry.expiresAt,
    entry.reversePath,
    entry.domain,
    entry.prefix,
    entry.eightBit ? 1 : 0,
    entry.smtpUtf8 ? 1 : 0,
    entry.envid,
    entry.ret,
    entry.journeyId,
    blobId,
    octets,
    writeWishes(entry.wishes),
  )
  entry.recipients.forEach((recipient, n) => {
    tx.run(
      "INSERT INTO queue_recipient VALUES (?, ?, ?, ?, 'waiting', 0, NULL, ?, ?)",
      entry.accountId,
      queueId,
      n,
      recipient.forwardPath,
      recipient.orcpt,
      recipient.notify,
    )
  })
  if (leasedUntil === null) tx.queued = true
  tx.queueGrowth++
  return { queueId, blobId, createdAt: tx.nowMs, leasedUntil }
}

/** Those that were leased, in the order given, as `lease` would have read them. */
export function leasedEntries(
  queue: readonly NewQueueEntry[],
  octets: number,
  enqueued: readonly Enqueued[],
): QueueEntry[] {
  const entries = queue.map((entry, n) => entryOf(entry, octets, enqueued[n]!))
  return entries.filter(({ leasedUntil }) => leasedUntil !== null)
}

function entryOf(entry: NewQueueEntry, octets: number, enqueued: Enqueued): QueueEntry {
  const { queueId, blobId, createdAt, leasedUntil } = enqueued
  return {
    ...entry,
    ...{ queueId, createdAt, leasedUntil, attempts: 0, delayWarned: false },
    body: { accountId: entry.accountId, blobId, octets },
    recipients: entry.recipients.map(({ forwardPath, orcpt, notify }) => ({
      ...{ forwardPath, state: 'waiting' as const, attempts: 0, lastReply: null, orcpt, notify },
    })),
  }
}
