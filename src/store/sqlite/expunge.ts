/**
 * Removes messages from a mailbox and remembers their UIDs (RFC 7162 §3.2.10). They stay as tombstones for a time, so that
 * `undelete` can put them back, and are cleared away after it, a little at a time, see sweep.ts: a session that has not
 * been told yet can still read them.
 */
import { requireMailbox } from './mailbox-row.ts'
import type { Transaction } from './transaction.ts'
import type { UidSpan } from './uid-spans.ts'
import { uidSpans } from './uid-spans.ts'

export interface ExpungeCall {
  readonly accountId: number
  readonly mailboxId: number
  readonly uids: ArrayLike<number>
}

export interface Removed {
  readonly uids: number[]
  unseen: number
  octets: number
}

/** @returns UIDs that were there. */
export function expunge(tx: Transaction, call: ExpungeCall): number[] {
  const { accountId, mailboxId } = call
  requireMailbox(tx, accountId, mailboxId)
  const modseq = tx.nextNumber(accountId)
  const removed: Removed = { uids: [], unseen: 0, octets: 0 }
  for (const span of uidSpans(call.uids)) {
    removeSpan(tx, { accountId, mailboxId, modseq, span, leaves: 'tombstone' }, removed)
  }
  if (removed.uids.length > 0) countRemoved(tx, accountId, mailboxId, modseq, removed, 'expunged')
  return removed.uids
}

/** Takes some UIDs out of a mailbox and adds to the sums what was there. */
export function removeSpan(
  tx: Transaction,
  what: {
    readonly accountId: number
    readonly mailboxId: number
    readonly modseq: number
    readonly span: UidSpan
    /** Of what was moved only a place in its email's row is left to clear away. */
    readonly leaves: 'tombstone' | 'garbage'
  },
  removed: Removed,
): void {
  const there = `WHERE account = ? AND mailbox = ? AND ${what.span.where}`
  const key = [what.accountId, what.mailboxId, ...what.span.values]
  const rows = tx.all<readonly [number, number, number]>(
    `SELECT uid, flags & 1, octets FROM message ${there} ORDER BY uid`,
    ...key,
  )
  if (rows.length === 0) return
  for (const [uid, seen, octets] of rows) {
    removed.uids.push(uid)
    removed.unseen += 1 - seen
    removed.octets += octets
  }
  tx.run(`INSERT INTO expunged SELECT account, mailbox, ?, uid FROM message ${there}`, what.modseq, ...key)
  tx.run(
    what.leaves === 'tombstone'
      ? `INSERT INTO tombstone
          SELECT account, mailbox, uid, ?, flags, keywords, octets, internal_date, email FROM message ${there}`
      : `INSERT INTO garbage SELECT NULL, ?, account, mailbox, uid, email FROM message ${there}`,
    tx.nowMs,
    ...key,
  )
  tx.run(`DELETE FROM message ${there}`, ...key)
}

/** Brings the mailbox's sums up to date and tells; what was moved stays in the account. */
export function countRemoved(
  tx: Transaction,
  accountId: number,
  mailboxId: number,
  modseq: number,
  removed: Removed,
  how: 'expunged' | 'moved',
): void {
  tx.run(
    `UPDATE mailbox SET highestmodseq = ?, total = total - ?, unseen = unseen - ?, octets = octets - ?
      WHERE account = ? AND mailbox = ?`,
    modseq,
    removed.uids.length,
    removed.unseen,
    removed.octets,
    accountId,
    mailboxId,
  )
  if (how === 'expunged') {
    tx.run(
      'UPDATE account_state SET used_octets = used_octets - ?, used_messages = used_messages - ? WHERE account = ?',
      removed.octets,
      removed.uids.length,
      accountId,
    )
  }
  tx.deltas.push({ kind: 'expunged', accountId, mailboxId, modseq, uids: removed.uids })
}
