/**
 * Removes messages from a mailbox for good and remembers their UIDs (RFC 7162 §3.2.10). Their emails and bodies are
 * cleared away later, a little at a time, see sweep.ts: a session that has not been told yet can still read them.
 */
import { requireMailbox } from './mailbox-row.ts'
import type { Transaction } from './transaction.ts'
import { uidRanges } from './uid-ranges.ts'

export interface ExpungeCall {
  readonly accountId: number
  readonly mailboxId: number
  readonly uids: readonly number[]
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
  for (const [first, last] of uidRanges(call.uids)) {
    removeRange(tx, { accountId, mailboxId, modseq, first, last }, removed)
  }
  if (removed.uids.length > 0) countRemoved(tx, accountId, mailboxId, modseq, removed, 'expunged')
  return removed.uids
}

/** Takes one run of UIDs out of a mailbox and adds to the sums what was there. */
export function removeRange(
  tx: Transaction,
  run: {
    readonly accountId: number
    readonly mailboxId: number
    readonly modseq: number
    readonly first: number
    readonly last: number
  },
  removed: Removed,
): void {
  const key = [run.accountId, run.mailboxId, run.first, run.last] as const
  const there = 'WHERE account = ?1 AND mailbox = ?2 AND uid BETWEEN ?3 AND ?4'
  const rows = tx.all<readonly [number, number, number]>(
    `SELECT uid, flags & 1, octets FROM message ${there}`,
    ...key,
  )
  if (rows.length === 0) return
  for (const [uid, seen, octets] of rows) {
    removed.uids.push(uid)
    removed.unseen += 1 - seen
    removed.octets += octets
  }
  tx.run(`INSERT INTO expunged SELECT account, mailbox, ?5, uid FROM message ${there}`, ...key, run.modseq)
  tx.run(
    `INSERT INTO garbage SELECT NULL, ?5, account, mailbox, uid, email FROM message ${there}`,
    ...key,
    tx.nowMs,
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
