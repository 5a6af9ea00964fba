import type { X509Certificate } from 'node:crypto'
import type { AccountStore } from '../store/accounts.ts'
import { normaliseAddress } from '../store/address.ts'
import { clientAddresses } from '../tls/client-names.ts'

/**
 * Says which accounts a verified client certificate stands for: those whose own address it names. Aliases do not count,
 * since an alias leads to several people; nor do accounts that nobody can log in to.
 *
 * @returns Its promise holds addresses as the store writes them, in the order of the certificate.
 */
export function createIdentify(store: Pick<AccountStore, 'findAccount'>) {
  return async (certificate: X509Certificate): Promise<string[]> => {
    const found: string[] = []
    for (const text of clientAddresses(certificate)) {
      const address = normaliseAddress(text)
      const account = address === null ? null : await store.findAccount(address)
      if (account === null || account.passwordHash === null) continue
      if (!found.includes(account.address)) found.push(account.address)
    }
    return found
  }
}
