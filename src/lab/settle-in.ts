import type { Surroundings } from '../base/dialler.ts'
import type { PosthornServer } from '../daemon/server.ts'
import type { LabDomain } from './scene.ts'
import { hashPassword } from '../auth/password-hash.ts'

/** Gives a server its domain and its one person, unless a kept folder has them already. */
export async function settleIn(
  server: PosthornServer,
  { domain, account }: LabDomain,
  { random }: Surroundings,
): Promise<void> {
  const { store } = server
  if (!(await store.listDomains()).includes(domain)) {
    await store.addDomain(domain)
    await server.domainsChanged()
  }
  if ((await store.findAccount(account.address)) === null) {
    await store.addAccount(account.address, await hashPassword(account.password, random))
  }
}
