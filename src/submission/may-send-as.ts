import type { Account, AccountStore } from '../store/accounts.ts'
import { normaliseAddress } from '../store/address.ts'

/**
 * Whether a login may put this address into the reverse-path, RFC 6409 §6.1: its own, with or without a detail
 * (`alice+lists@…`), or an alias that leads to it directly.
 */
export async function maySendAs(store: AccountStore, account: Account, address: string): Promise<boolean> {
  const wanted = normaliseAddress(address)
  if (wanted === null) return false
  if (wanted === account.address) return true
  const meaning = await store.resolveAddress(wanted)
  if (meaning.kind === 'account') return meaning.account.accountId === account.accountId
  return meaning.kind === 'alias' && meaning.targets.includes(account.address)
}
