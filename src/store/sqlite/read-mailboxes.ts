import type { Mailbox } from '../store.ts'
import type { Sql } from './database.ts'
import { canonicalName, mailboxColumns, mailboxOf } from './mailbox-row.ts'

const columns = `${mailboxColumns}, EXISTS (SELECT 1 FROM subscription
  WHERE subscription.account = mailbox.account AND subscription.name = mailbox.name)`

export function listMailboxes(sql: Sql, accountId: number): Mailbox[] {
  return sql
    .all(`SELECT ${columns} FROM mailbox WHERE account = ? ORDER BY name`, accountId)
    .map((row) => mailboxOf(accountId, row, row[9] === 1))
}

export function findMailbox(sql: Sql, accountId: number, name: string): Mailbox | null {
  const row = sql.get(
    `SELECT ${columns} FROM mailbox WHERE account = ? AND name = ?`,
    accountId,
    canonicalName(name),
  )
  return row === undefined ? null : mailboxOf(accountId, row, row[9] === 1)
}

export function listSubscriptions(sql: Sql, accountId: number): string[] {
  return sql
    .all('SELECT name FROM subscription WHERE account = ? ORDER BY name', accountId)
    .map((row) => row[0] as string)
}
