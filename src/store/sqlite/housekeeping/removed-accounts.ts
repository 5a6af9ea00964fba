/** Accounts that were removed keep their number, their mail and their password for a time, docs/decisions/100. */
import { keptAddress } from '../../address.ts'
import type { RemovedAccount } from '../../accounts.ts'
import { AccountUnknown } from '../../errors.ts'
import { claim } from '../claim.ts'
import type { Sql } from '../database.ts'
import type { Transaction } from '../transaction.ts'
import { rememberMailboxes, restoreMailboxes } from './deleted-mailboxes.ts'

const columns = 'address, password, quota_octets, quota_messages'
const stateColumns = 'counter, uidvalidity, used_octets, used_messages'

/** Notes an account that is about to be removed, and its mailboxes. */
export function rememberAccount(tx: Transaction, accountId: number): void {
  tx.run(
    `INSERT INTO removed_account SELECT account.account, ${columns}, ${stateColumns}, ?
      FROM account JOIN account_state USING (account) WHERE account.account = ?`,
    tx.nowMs,
    accountId,
  )
  rememberMailboxes(tx, accountId)
}

/** @returns Its number. @throws {AccountUnknown} @throws {NameTaken} @throws {DomainUnknown} */
export function restoreAccount(tx: Transaction, call: { readonly address: string }): number {
  const address = keptAddress(call.address)
  const row = tx.get(
    'SELECT account FROM removed_account WHERE address = ? ORDER BY removed_at DESC, account DESC LIMIT 1',
    address,
  )
  if (row === undefined) throw new AccountUnknown(address)
  const accountId = row[0] as number
  claim(tx, address, accountId, null)
  tx.run(
    `INSERT INTO account (account, ${columns}) SELECT account, ${columns} FROM removed_account WHERE account = ?`,
    accountId,
  )
  tx.run(
    `INSERT INTO account_state (account, ${stateColumns})
      SELECT account, ${stateColumns} FROM removed_account WHERE account = ?`,
    accountId,
  )
  tx.run('DELETE FROM removed_account WHERE account = ?', accountId)
  restoreMailboxes(tx, accountId)
  return accountId
}

/** One page, the newest first. */
export function removedAccounts(sql: Sql, limit: number): RemovedAccount[] {
  return sql
    .all<readonly [number, string, number, number, number]>(
      `SELECT account, address, removed_at, used_octets, used_messages FROM removed_account
        ORDER BY removed_at DESC, account DESC LIMIT ?`,
      limit,
    )
    .map(([accountId, address, removedAt, usedOctets, usedMessages]) => ({
      ...{ accountId, address, removedAt, usedOctets, usedMessages },
    }))
}
