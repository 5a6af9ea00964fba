import type { QueueEntry } from '../queue.ts'
import { queueColumns, queueEntryOf } from './queue-row.ts'
import { removeEntry } from './settle.ts'
import type { Transaction } from './transaction.ts'

/** Takes what is due; `due_at` of a held row is the end of its lease, so one condition serves both. */
export function lease(
  tx: Transaction,
  call: { readonly nowMs: number; readonly leaseMs: number; readonly limit: number },
): QueueEntry[] {
  const until = call.nowMs + call.leaseMs
  const due = tx.all(
    'SELECT account, queue FROM queue WHERE due_at <= ? ORDER BY due_at LIMIT ?',
    call.nowMs,
    Math.min(Math.max(call.limit, 1), 1_000),
  )
  return due.map(([account, queue]) => {
    const row = tx.get(
      `UPDATE queue SET due_at = ?1, leased_until = ?1 WHERE account = ?2 AND queue = ?3 RETURNING ${queueColumns}`,
      until,
      account as number,
      queue as number,
    )
    return queueEntryOf(tx.sql, row!)
  })
}

export function renewLease(
  tx: Transaction,
  call: { readonly accountId: number; readonly queueId: number; readonly untilMs: number },
): void {
  tx.run(
    `UPDATE queue SET due_at = ?1, leased_until = ?1 WHERE account = ?2 AND queue = ?3 AND leased_until IS NOT NULL`,
    call.untilMs,
    call.accountId,
    call.queueId,
  )
}

/** Rows that somebody holds are being tried already. */
export function retryNow(
  tx: Transaction,
  call: { readonly queueId: number | null; readonly nowMs: number },
): number {
  const free = '(leased_until IS NULL OR leased_until <= ?1)'
  const made =
    call.queueId === null
      ? tx.run(
          `UPDATE queue SET due_at = ?1, next_attempt_at = ?1, leased_until = NULL WHERE ${free}`,
          call.nowMs,
        )
      : tx.run(
          `UPDATE queue SET due_at = ?1, next_attempt_at = ?1, leased_until = NULL WHERE queue = ?2 AND ${free}`,
          call.nowMs,
          call.queueId,
        )
  if (made > 0) tx.queued = true
  return made
}

/** @returns False when there is none of that number. */
export function dropEntry(tx: Transaction, call: { readonly queueId: number }): boolean {
  const row = tx.get('SELECT account FROM queue WHERE queue = ?', call.queueId)
  return row !== undefined && removeEntry(tx, row[0] as number, call.queueId)
}
