/** SPF for one SMTP transaction, RFC 7208 §2.3 and §2.4: who is asked about, and as whom. */
import { readDomain } from '../domain.ts'
import { checkHost, type SpfResult, type SpfWorld } from './check-host.ts'

export interface SpfTransaction {
  readonly address: string
  readonly helo: string
  /** As in MAIL, without brackets; '' for the null reverse-path. */
  readonly reversePath: string
}

export type SpfIdentityResult = SpfResult & { readonly identity: 'mailfrom' | 'helo' }

/** The domain of the reverse-path, or the HELO name for the null reverse-path: §2.4 takes it as postmaster@HELO. */
export async function checkSpf(world: SpfWorld, transaction: SpfTransaction): Promise<SpfIdentityResult> {
  const { address, helo, reversePath } = transaction
  if (reversePath === '') return checkHelo(world, { address, helo })
  const at = reversePath.lastIndexOf('@')
  const domain = readDomain(reversePath.slice(at + 1))
  if (domain === null) return { ...noDomain(reversePath.slice(at + 1)), identity: 'mailfrom' }
  const sender = `${reversePath.slice(0, Math.max(0, at))}@${domain}`
  return { ...(await checkHost(world, { address, domain, sender, helo })), identity: 'mailfrom' }
}

export async function checkHelo(
  world: SpfWorld,
  { address, helo }: { readonly address: string; readonly helo: string },
): Promise<SpfIdentityResult> {
  // §2.3: an address literal, or a name of one label, has no record.
  const domain = readDomain(helo)
  if (domain === null) return { ...noDomain(helo), identity: 'helo' }
  const sender = `postmaster@${domain}`
  return { ...(await checkHost(world, { address, domain, sender, helo })), identity: 'helo' }
}

function noDomain(text: string): SpfResult {
  return {
    result: 'none',
    reason: 'no domain',
    domain: text.slice(0, 255),
    record: null,
    mechanism: null,
    explanation: null,
    lookups: 0,
    voidLookups: 0,
    asked: [],
  }
}
