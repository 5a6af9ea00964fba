import type { QueueEntry } from '../queue.ts'
import { queueColumns, queueEntryOf } from './queue-row.ts'
import type { Sql } from './database.ts'
import { removeEntry } from './settle.ts'
import type { Transaction } from './transaction.ts'

/** By so much clocks may differ before a row is taken to be of another time. */
const slackMs = 60 * 60_000

/** Takes what is due; `due_at` of a held row is the end of its lease, so one condition serves both. */
export function lease(
  tx: Transaction,
  call: { readonly nowMs: number; readonly leaseMs: number; readonly limit: number },
): QueueEntry[] {
  const until = call.nowMs + call.leaseMs
  const limit = Math.min(Math.max(call.limit, 1), 1_000)
  bringBack(tx, limit)
  return mostUrgent(tx, call.nowMs, limit).map(([account, queue]) => {
    const row = tx.get(
      `UPDATE queue SET due_at = ?1, leased_until = ?1 WHERE account = ?2 AND queue = ?3 RETURNING ${queueColumns}`,
      until,
      account as number,
      queue as number,
    )
    return queueEntryOf(tx.sql, row!)
  })
}

/** What one step of RFC 6710's priority is worth: nine of them overtake what has waited for nine minutes, and no more. */
const priorityStepMs = 60_000

type Due = readonly [account: number, queue: number, dueAt: number, priority: number]

/** Two pages by index, merged: the oldest, and the oldest of those with a priority over 0. */
function mostUrgent(tx: Transaction, nowMs: number, limit: number): Due[] {
  const priority = "json_extract(wishes, '$.priority')"
  const columns = `account, queue, due_at, coalesce(${priority}, 0)`
  const oldest = tx.all<Due>(
    `SELECT ${columns} FROM queue WHERE due_at <= ? ORDER BY due_at LIMIT ?`,
    nowMs,
    limit,
  )
  const urgent = tx.all<Due>(
    `SELECT ${columns} FROM queue WHERE ${priority} > 0 AND due_at <= ? ORDER BY due_at LIMIT ?`,
    nowMs,
    limit,
  )
  const due = new Map([...oldest, ...urgent].map((row) => [row[1], row]))
  const place = ([, , dueAt, steps]: Due) => dueAt - steps * priorityStepMs
  return [...due.values()].sort((a, b) => place(a) - place(b)).slice(0, limit)
}

/** For the one who opens the store and holds its folder: whoever held a lease is no more. */
export function freeLeases(sql: Sql): void {
  sql.exec('UPDATE queue SET leased_until = NULL, due_at = next_attempt_at WHERE leased_until IS NOT NULL')
}

/**
 * Rows that were made, put off or held while the clock was ahead would wait until that time comes, which may be years:
 * those made in the future, or due after the end of their life. They are due now, and their life counts from now.
 */
function bringBack(tx: Transaction, limit: number): void {
  const lost = 'due_at > ?1 AND (created_at > ?1 OR due_at > expires_at)'
  const from = tx.nowMs + slackMs
  // They are the last ones; so as a rule one row is looked at.
  const last = tx.get(
    `SELECT due_at > expires_at OR created_at > ?1 FROM queue WHERE due_at > ?1 ORDER BY due_at DESC LIMIT 1`,
    from,
  )
  if (last?.[0] !== 1) return
  tx.run(
    `UPDATE queue SET due_at = ?2, next_attempt_at = ?2, leased_until = NULL, created_at = min(created_at, ?2),
      expires_at = expires_at - max(created_at - ?2, 0)
      WHERE rowid IN (SELECT rowid FROM queue WHERE ${lost} ORDER BY due_at DESC LIMIT ?3)`,
    from,
    tx.nowMs,
    limit,
  )
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

/** Rows that somebody holds are being tried already; what its sender holds back (RFC 4865) is sent early only by name. */
export function retryNow(
  tx: Transaction,
  call: { readonly queueId: number | null; readonly nowMs: number; readonly domain?: string },
): number {
  const free = '(leased_until IS NULL OR leased_until <= ?1)'
  const made =
    call.queueId === null
      ? tx.run(
          `UPDATE queue SET due_at = ?1, next_attempt_at = ?1, leased_until = NULL
            WHERE ${free} AND coalesce(json_extract(wishes, '$.holdUntil'), 0) <= ?1
              AND (?2 IS NULL OR domain = ?2)`,
          call.nowMs,
          call.domain ?? null,
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
