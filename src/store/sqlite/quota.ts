import { keptAddress } from '../address.ts'
import { isFull, type Quota } from '../accounts.ts'
import { AccountUnknown, OverQuota } from '../errors.ts'
import type { Transaction } from './transaction.ts'

/** @throws {AccountUnknown} */
export function setQuota(tx: Transaction, call: { readonly address: string; readonly quota: Quota }): void {
  const changed = tx.run(
    `UPDATE account SET quota_octets = ?, quota_messages = ?
      WHERE account = (SELECT account FROM address WHERE address = ?)`,
    call.quota.octets,
    call.quota.messages,
    keptAddress(call.address),
  )
  if (changed === 0) throw new AccountUnknown(call.address)
}

/**
 * Refuses what an account has no room for. One message may go over the quota: who sends a letter does not say beforehand
 * how long it will be, and what is asked at RCPT must hold for a user's own messages too.
 *
 * @param octets Of each message that is to be added.
 * @throws {OverQuota}
 */
export function requireRoom(tx: Transaction, accountId: number, octets: readonly number[]): void {
  const row = tx.get<readonly [number | null, number | null, number, number]>(
    `SELECT quota_octets, quota_messages, used_octets, used_messages
      FROM account JOIN account_state USING (account) WHERE account.account = ?`,
    accountId,
  )
  // A message to nobody is refused elsewhere.
  if (row === undefined) return
  const [quotaOctets, quotaMessages, usedOctets, usedMessages] = row
  const total = octets.reduce((sum, one) => sum + one, 0)
  const largest = octets.reduce((most, one) => Math.max(most, one), 0)
  const before = {
    ...{ quotaOctets, quotaMessages },
    usedOctets: usedOctets + total - largest,
    usedMessages: usedMessages + octets.length - 1,
  }
  if (octets.length > 0 && isFull(before)) throw new OverQuota(`account ${accountId} is full`)
}
