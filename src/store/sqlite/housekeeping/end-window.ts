/**
 * Ends the time in which something can be put back. Tombstones go with their place, a few at a time; a deleted mailbox or
 * a removed account becomes garbage, whose messages sweep.ts clears away.
 */
import { removePlace } from '../places.ts'
import type { Transaction } from '../transaction.ts'

/** @param before What was expunged up to this time. @returns Whether there may be more to do, garbage included. */
export function endWindow(tx: Transaction, before: number, limit: number): boolean {
  const rows = tx.all<readonly [number, number, number, number]>(
    'SELECT account, mailbox, uid, email FROM tombstone WHERE expunged_at <= ? ORDER BY expunged_at LIMIT ?',
    before,
    limit,
  )
  for (const [account, mailbox, uid, email] of rows) {
    tx.run('DELETE FROM tombstone WHERE account = ? AND mailbox = ? AND uid = ?', account, mailbox, uid)
    removePlace(tx, email, `${mailbox}:${uid}`)
  }
  if (rows.length > 0) return true
  return endMailboxes(tx, before, limit) || endAccounts(tx, before, limit)
}

function endMailboxes(tx: Transaction, before: number, limit: number): boolean {
  const rows = tx.all<readonly [number, number, number]>(
    'SELECT account, mailbox, deleted_at FROM deleted_mailbox WHERE deleted_at <= ? ORDER BY deleted_at LIMIT ?',
    before,
    limit,
  )
  for (const [account, mailbox, deletedAt] of rows) {
    tx.run('INSERT INTO garbage VALUES (NULL, ?, ?, ?, 0, 0)', deletedAt, account, mailbox)
    tx.run('DELETE FROM deleted_mailbox WHERE account = ? AND mailbox = ?', account, mailbox)
  }
  return rows.length > 0
}

/** Its mailboxes went before it. */
function endAccounts(tx: Transaction, before: number, limit: number): boolean {
  const rows = tx.all<readonly [number, number]>(
    'SELECT account, removed_at FROM removed_account WHERE removed_at <= ? LIMIT ?',
    before,
    limit,
  )
  for (const [account, removedAt] of rows) {
    tx.run('INSERT INTO garbage VALUES (NULL, ?, ?, 0, 0, 0)', removedAt, account)
    tx.run('DELETE FROM subscription WHERE account = ?', account)
    tx.run('DELETE FROM removed_account WHERE account = ?', account)
  }
  return rows.length > 0
}
