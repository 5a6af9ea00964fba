import type { AccountStore } from '../store/accounts.ts'

/** What `user bob` means: the first domain in the store, else the parent of the host name. */
export async function firstDomain(
  store: Pick<AccountStore, 'listDomains'>,
  hostname: string,
): Promise<string> {
  const [first] = await store.listDomains()
  // `mail.hamburger.edu` serves hamburger.edu; a name of one label has no parent.
  return first ?? (hostname.includes('.') ? hostname.slice(hostname.indexOf('.') + 1) : hostname)
}
