import { generateKeyPairSync } from 'node:crypto'
import type { Surroundings } from '../base/dialler.ts'
import type { PosthornServer } from '../daemon/server.ts'
import type { DomainKey } from '../store/domain-keys.ts'
import type { LabDomain } from './scene.ts'
import { hashPassword } from '../auth/password-hash.ts'

/**
 * Gives a server its domain, a key that signs for it, and its one person.
 *
 * @param signs False in the lecture, whose letters nobody signs.
 * @returns False when a kept folder had the person already.
 */
export async function settleIn(
  server: PosthornServer,
  { domain, account }: LabDomain,
  { random, clock }: Surroundings,
  signs: boolean,
): Promise<boolean> {
  const { store } = server
  if (!(await store.listDomains()).includes(domain)) {
    await store.addDomain(domain)
    await server.domainsChanged()
  }
  if (signs && (await store.listDomainKeys(domain)).length === 0) {
    await store.addDomainKey(makeKey(domain, clock.now()))
  }
  if ((await store.findAccount(account.address)) !== null) return false
  await store.addAccount(account.address, await hashPassword(account.password, random))
  return true
}

/** Ed25519 only: an RSA key would take as long as all the rest of the start. */
function makeKey(domain: string, now: number): DomainKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  return {
    ...{ domain, selector: 'lab', algorithm: 'ed25519-sha256' },
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...{ createdAt: now, activeFrom: now, retiredAt: null },
  }
}
