import type { Account, AccountStore } from '../store/accounts.ts'
import { type Address, formatAddrSpec } from '../message/address.ts'
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

/** Authors of one letter that are looked up. */
const authorsMax = 50

/**
 * Finds somebody of ours, other than the one who logged in, in whose name a letter is written. Addresses elsewhere are
 * not judged: what a list passes on bears the name of who wrote it, and its domain says who may use it (DMARC).
 *
 * @param authors Of From and Sender.
 * @returns The address as it stands there; null when there is none.
 */
export async function findBorrowedName(
  store: AccountStore,
  account: Account,
  authors: readonly Address[],
): Promise<string | null> {
  const addresses = new Set(
    authors.filter(({ host }) => host !== null).map((author) => formatAddrSpec(author).replace(/\.$/, '')),
  )
  let looked = 0
  for (const address of addresses) {
    if (++looked > authorsMax) return address
    const wanted = normaliseAddress(address)
    if (wanted === null || (await store.resolveAddress(wanted)).kind === 'remote') continue
    if (!(await maySendAs(store, account, wanted))) return address
  }
  return null
}
