/** The DNS Tree Walk, RFC 9989: who is the organization behind a domain, and where is its policy. */
import type { Resolver } from '../../dns/resolver.ts'
import { type DmarcRecord, isDmarcRecord, parseDmarcRecord } from './record.ts'

export interface FoundRecord {
  readonly domain: string
  readonly record: DmarcRecord
}

/** RFC 9989 §4.10 step 4: a name of eight labels or more goes on with its last seven, so eight questions are the most. */
const labelsMax = 7

/**
 * The record of one name.
 *
 * @param domain A-labels, lower case.
 * @param asked The question is added.
 * @returns Null: none, or several, which §4.10 steps 2 and 6 take as none.
 * @throws {DnsFailure}
 */
export async function findRecord(
  resolver: Resolver,
  domain: string,
  asked: string[],
): Promise<FoundRecord | null> {
  const name = `_dmarc.${domain}`
  asked.push(`${name} TXT`)
  const records = (await resolver.query(name, 'TXT')).records.filter(isDmarcRecord)
  return records.length === 1 ? { domain, record: parseDmarcRecord(records[0]!) } : null
}

/**
 * All records of one walk.
 *
 * @param start Of `findRecord` for the domain itself, when it was asked for already.
 * @returns From the longest name to the shortest.
 * @throws {DnsFailure} A name above may have a record that we cannot see.
 */
export async function walkTree(
  resolver: Resolver,
  domain: string,
  asked: string[],
  start?: FoundRecord | null,
): Promise<FoundRecord[]> {
  const found: FoundRecord[] = []
  for (const target of walkTargets(domain)) {
    const one = target === domain && start !== undefined ? start : await findRecord(resolver, target, asked)
    if (one === null) continue
    found.push(one)
    // Steps 2 and 6.
    if (one.record.psd !== 'u') break
  }
  return found
}

/** Step by step, the domain itself first. */
export function walkTargets(domain: string): string[] {
  const labels = domain.split('.')
  const targets = [domain]
  for (let count = Math.min(labels.length - 1, labelsMax); count > 0; count--) {
    targets.push(labels.slice(-count).join('.'))
  }
  return targets
}

/** RFC 9989 §4.10.2. @param found Of the walk that began at the domain. */
export function organizationalDomain(domain: string, found: readonly FoundRecord[]): string {
  for (const one of found) {
    if (one.record.psd === 'n') return one.domain
    if (one.record.psd === 'y' && one.domain !== domain) {
      const labels = one.domain.split('.').length + 1
      return domain.split('.').slice(-labels).join('.')
    }
  }
  return found.at(-1)?.domain ?? domain
}

/** RFC 9989 §4.10.1: the domain's own record, its organization's, or that of the public suffix above it. */
export function policyRecord(domain: string, found: readonly FoundRecord[]): FoundRecord | null {
  const own = found.find((one) => one.domain === domain)
  if (own !== undefined) return own
  const organization = organizationalDomain(domain, found)
  return (
    found.find((one) => one.domain === organization) ?? found.find(({ record }) => record.psd === 'y') ?? null
  )
}
