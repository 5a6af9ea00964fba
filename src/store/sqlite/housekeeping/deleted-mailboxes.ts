import { mailboxColumns } from '../mailbox-row.ts'
import type { Transaction } from '../transaction.ts'

/** Notes a mailbox that is about to be deleted, as it is. */
export function rememberMailbox(tx: Transaction, accountId: number, mailboxId: number): void {
  tx.run(
    `INSERT INTO deleted_mailbox SELECT account, ${mailboxColumns}, ?, 0 FROM mailbox
      WHERE account = ? AND mailbox = ?`,
    tx.nowMs,
    accountId,
    mailboxId,
  )
}

/** Notes all mailboxes of an account that is about to be removed. */
export function rememberMailboxes(tx: Transaction, accountId: number): void {
  tx.run(
    `INSERT INTO deleted_mailbox SELECT account, ${mailboxColumns}, ?, 1 FROM mailbox WHERE account = ?`,
    tx.nowMs,
    accountId,
  )
}

/** Brings back those that went with their account. */
export function restoreMailboxes(tx: Transaction, accountId: number): void {
  const which = 'FROM deleted_mailbox WHERE account = ? AND with_account = 1'
  tx.run(`INSERT INTO mailbox SELECT account, ${mailboxColumns} ${which}`, accountId)
  tx.run(`DELETE ${which}`, accountId)
}
