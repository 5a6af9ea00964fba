/** What waits to be sent has a body, recipients, and a time at which somebody takes it. */
import type { Sql } from '../database.ts'
import type { NumberSet } from '../housekeeping/number-set.ts'
import { type Findings, rowsMax } from './findings.ts'

const rowsAtOnce = 500

type QueueRow = readonly [
  ...[number, number, number, number, number, number | null, number],
  ...[number | null, number | null, number, number],
]

/** @param owned Bodies that emails own; those of the queue are added. */
export function checkQueue(sql: Sql, findings: Findings, owned: NumberSet): void {
  for (let account = -1, queue = 0; ; ) {
    const rows = sql.all<QueueRow>(
      `SELECT q.account, q.queue, q.blob, q.octets, q.due_at, q.leased_until, q.next_attempt_at, b.account, b.octets,
        (SELECT count(*) FROM queue_recipient r WHERE r.account = q.account AND r.queue = q.queue),
        (SELECT count(*) FROM queue_recipient r WHERE r.account = q.account AND r.queue = q.queue AND state IN ('waiting', 'reporting'))
        FROM queue q LEFT JOIN blob b ON b.blob = q.blob
        WHERE (q.account, q.queue) > (?, ?) ORDER BY q.account, q.queue LIMIT ${rowsAtOnce}`,
      account,
      queue,
    )
    for (const row of rows) checkEntry(row, findings, owned)
    if (rows.length < rowsAtOnce) break
    ;[account, queue] = rows.at(-1)!
  }
  for (const [account, queue] of sql.all<readonly [number, number]>(
    `SELECT DISTINCT account, queue FROM queue_recipient r WHERE NOT EXISTS
      (SELECT 1 FROM queue q WHERE q.account = r.account AND q.queue = r.queue) LIMIT ${rowsMax}`,
  ))
    findings.add('queue-recipient', `Recipients of message ${queue}, which is not in the queue`, { account })
}

function checkEntry(row: QueueRow, findings: Findings, owned: NumberSet): void {
  const [account, queue, blob, octets, dueAt, leasedUntil, nextAttemptAt, owner, bodyOctets, ...counts] = row
  const [recipients, waiting] = counts
  const tell = (kind: string, text: string) =>
    findings.add(kind, `Message ${queue} in the queue ${text}`, { account })
  if (owned.has(blob)) tell('body-shared', 'shares its body row with another message')
  owned.add(blob)
  if (owner === null) tell('queue-body', 'has no body row')
  else if (owner !== account) tell('queue-body', 'has a body of another account')
  else if (bodyOctets !== octets) tell('queue-body', `has a body of ${bodyOctets} octets and says ${octets}`)
  if (recipients === 0) tell('queue-recipient', 'has no recipients')
  else if (waiting === 0) tell('queue-recipient', 'has no recipient that waits: it would stay for ever')
  if (dueAt !== (leasedUntil ?? nextAttemptAt)) tell('queue-due', 'is due at a time that nothing explains')
}
