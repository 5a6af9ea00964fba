import type { Settlement } from '../queue.ts'
import { removeBlob } from './remove-blob.ts'
import type { Transaction } from './transaction.ts'

export function settle(tx: Transaction, settlements: readonly Settlement[]): void {
  for (const settlement of settlements) settleOne(tx, settlement)
}

/**
 * Ends one attempt: notes what became of the recipients and gives the lease back. The entry leaves the queue when nobody
 * waits any more, neither for the message nor to be told of it. One that has gone meanwhile (a person dropped it) is passed over.
 */
export function settleOne(tx: Transaction, settlement: Settlement): void {
  const { accountId, queueId } = settlement
  for (const recipient of settlement.recipients) {
    tx.run(
      `UPDATE queue_recipient SET state = ?, attempts = attempts + 1, last_reply = ?
        WHERE account = ? AND queue = ? AND forward_path = ? AND state IN ('waiting', 'reporting')`,
      recipient.state,
      recipient.reply,
      accountId,
      queueId,
      recipient.forwardPath,
    )
  }
  const waiting = tx.get(
    "SELECT 1 FROM queue_recipient WHERE account = ? AND queue = ? AND state IN ('waiting', 'reporting') LIMIT 1",
    accountId,
    queueId,
  )
  if (waiting === undefined) {
    removeEntry(tx, accountId, queueId)
    return
  }
  const kept = tx.run(
    `UPDATE queue SET attempts = attempts + 1, next_attempt_at = ?1, due_at = ?1, leased_until = NULL,
      delay_warned = coalesce(?2, delay_warned) WHERE account = ?3 AND queue = ?4`,
    settlement.nextAttemptAt,
    settlement.delayWarned === undefined ? null : settlement.delayWarned ? 1 : 0,
    accountId,
    queueId,
  )
  if (kept > 0) tx.queued = true
}

/** @returns False when there was none. */
export function removeEntry(tx: Transaction, accountId: number, queueId: number): boolean {
  const row = tx.get('DELETE FROM queue WHERE account = ? AND queue = ? RETURNING blob', accountId, queueId)
  if (row === undefined) return false
  tx.queueGrowth--
  tx.run('DELETE FROM queue_recipient WHERE account = ? AND queue = ?', accountId, queueId)
  removeBlob(tx, row[0] as number)
  return true
}
