import type { QueueRecipient, Settlement } from '../queue.ts'
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
  const became = new Map(settlement.recipients.map((each) => [each.forwardPath, each]))
  const open = tx.all<[n: number, forwardPath: string]>(
    "SELECT n, forward_path FROM queue_recipient WHERE account = ? AND queue = ? AND state IN ('waiting', 'reporting')",
    accountId,
    queueId,
  )
  if (!open.some(([, forwardPath]) => isOpen(became.get(forwardPath)?.state))) {
    // As nearly always: nothing need be noted of what goes.
    removeEntry(tx, accountId, queueId)
    return
  }
  for (const [n, forwardPath] of open) {
    const recipient = became.get(forwardPath)
    if (recipient === undefined) continue
    tx.run(
      `UPDATE queue_recipient SET state = ?, attempts = attempts + 1, last_reply = ?
        WHERE account = ? AND queue = ? AND n = ?`,
      recipient.state,
      recipient.reply,
      accountId,
      queueId,
      n,
    )
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

/** @param state Undefined: nothing was said of this one. */
function isOpen(state: QueueRecipient['state'] | undefined): boolean {
  return state === undefined || state === 'waiting' || state === 'reporting'
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
