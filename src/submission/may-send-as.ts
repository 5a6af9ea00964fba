import type { Account, AccountStore } from '../store/accounts.ts'
import { type Address, formatAddrSpec, parseAddressList } from '../message/address.ts'
import { clearHosts } from '../message/clear-addresses.ts'
import { fieldText, type HeaderField } from '../message/header.ts'
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

const authorFields = /^(?:from|sender|resent-from|resent-sender)$/i

/** @returns The name of a field that some reader takes to name somebody whom `namedAuthors` does not find. */
export function findUnclearAuthor(fields: readonly HeaderField[]): string | null {
  const unclear = fields.find(
    ({ name, value }) => authorFields.test(name) && clearHosts(fieldText(value)) === null,
  )
  return unclear?.name ?? null
}

/**
 * Whoever a letter says has written or sent it: all of From and Sender, however often they are there. Of the resent
 * fields the first, which are those of the last hop; what is below was there before, RFC 5322 §3.6.6. Read anew: the
 * envelope of a letter with thousands of recipients may have no room left for its author.
 */
export function namedAuthors(fields: readonly HeaderField[]): Address[] {
  const first = (name: string) => fields.filter((field) => field.name.toLowerCase() === name).slice(0, 1)
  const always = fields.filter(({ name }) => /^(?:from|sender)$/i.test(name))
  return [...always, ...first('resent-from'), ...first('resent-sender')].flatMap(({ value }) =>
    parseAddressList(fieldText(value)),
  )
}

/**
 * Finds somebody of ours, other than the one who logged in, in whose name a letter is written. Addresses elsewhere are
 * not judged: what a list passes on bears the name of who wrote it, and its domain says who may use it (DMARC).
 *
 * @param authors See `namedAuthors`.
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
