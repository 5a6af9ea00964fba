/**
 * Clears away what expunging and deleting left, at most so many messages a call, so that mail that arrives meanwhile
 * does not wait: `garbage` says what there is to do.
 */
import type { Row } from './database.ts'
import { endWindow } from './housekeeping/end-window.ts'
import { removePlace } from './places.ts'
import type { Transaction } from './transaction.ts'

const messagesAtOnce = 200

/**
 * @param call.before Only what was left before this time.
 * @param call.windowBefore What was expunged or deleted before this time cannot be put back any more.
 * @returns Whether there may be more.
 */
export function sweep(
  tx: Transaction,
  call: { readonly before: number; readonly windowBefore: number },
): boolean {
  const rows = tx.all(
    'SELECT garbage, account, mailbox, uid, email FROM garbage WHERE since <= ? ORDER BY garbage LIMIT ?',
    call.before,
    messagesAtOnce,
  )
  if (rows.length === 0) return endWindow(tx, call.windowBefore, messagesAtOnce)
  let left = messagesAtOnce
  for (const row of rows) {
    if (left <= 0) return true
    const used = sweepOne(tx, row, left)
    left -= Math.max(used.messages, 1)
    if (used.done) tx.run('DELETE FROM garbage WHERE garbage = ?', row[0] as number)
  }
  return true
}

function sweepOne(tx: Transaction, row: Row, limit: number): { messages: number; done: boolean } {
  const [, account, mailbox, uid, email] = row as readonly [number, number, number, number, number]
  if (uid > 0) {
    removePlace(tx, email, `${mailbox}:${uid}`)
    return { messages: 1, done: true }
  }
  if (mailbox > 0) return sweepMailbox(tx, account, mailbox, limit)
  return sweepAccount(tx, account, limit)
}

function sweepMailbox(
  tx: Transaction,
  account: number,
  mailbox: number,
  limit: number,
): { messages: number; done: boolean } {
  const rows = tx.all<readonly [number, number]>(
    'SELECT uid, email FROM message WHERE account = ? AND mailbox = ? ORDER BY uid LIMIT ?',
    account,
    mailbox,
    limit,
  )
  for (const [uid, email] of rows) {
    tx.run('DELETE FROM message WHERE account = ? AND mailbox = ? AND uid = ?', account, mailbox, uid)
    removePlace(tx, email, `${mailbox}:${uid}`)
  }
  if (rows.length === limit) return { messages: rows.length, done: false }
  for (const table of ['keyword', 'forgotten', 'seen_there'])
    tx.run(`DELETE FROM ${table} WHERE account = ? AND mailbox = ?`, account, mailbox)
  const old = tx.run(
    `DELETE FROM expunged WHERE account = ?1 AND mailbox = ?2 AND (modseq, uid) IN
      (SELECT modseq, uid FROM expunged WHERE account = ?1 AND mailbox = ?2 LIMIT ?3)`,
    account,
    mailbox,
    limit * 10,
  )
  return { messages: rows.length, done: old < limit * 10 }
}

function sweepAccount(tx: Transaction, account: number, limit: number): { messages: number; done: boolean } {
  const gone = tx.run(
    'DELETE FROM refs WHERE account = ?1 AND hash IN (SELECT hash FROM refs WHERE account = ?1 LIMIT ?2)',
    account,
    limit * 10,
  )
  return { messages: 0, done: gone < limit * 10 }
}
