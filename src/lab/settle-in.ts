import type { Surroundings } from '../base/dialler.ts'
import type { PosthornServer } from '../daemon/server.ts'
import type { LabDomain } from './scene.ts'
import { hashPassword } from '../auth/password-hash.ts'

/** Gives a server its domain and its one person. @returns False when a kept folder had the person already. */
export async function settleIn(
  server: PosthornServer,
  { domain, account }: LabDomain,
  { random }: Surroundings,
): Promise<boolean> {
  const { store } = server
  if (!(await store.listDomains()).includes(domain)) {
    await store.addDomain(domain)
    await server.domainsChanged()
  }
  if ((await store.findAccount(account.address)) !== null) return false
  await store.addAccount(account.address, await hashPassword(account.password, random))
  return true
}
