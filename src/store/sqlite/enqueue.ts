import type { NewQueueEntry } from '../queue.ts'
import { writeWishes } from './queue-row.ts'
import type { Transaction } from './transaction.ts'

/** @returns The entry's number. */
export function enqueue(tx: Transaction, entry: NewQueueEntry, blob: number, octets: number): number {
  const queueId = tx.nextOf('queue')
  tx.run(
    'INSERT INTO queue VALUES (?, ?, ?, ?, NULL, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    entry.accountId,
    queueId,
    entry.nextAttemptAt,
    entry.nextAttemptAt,
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
    blob,
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
  tx.queued = true
  tx.queueGrowth++
  return queueId
}
