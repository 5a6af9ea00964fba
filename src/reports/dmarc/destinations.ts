/**
 * Who gets the reports about a domain. RFC 9990: a destination outside the organization has to say in its own DNS that
 * it wants them; otherwise anybody could have a stranger flooded.
 */
import { DnsFailure, type Resolver } from '../../dns/resolver.ts'
import { organizationalDomain, walkTree } from '../../mailauth/dmarc/tree-walk.ts'
import { readReportUris, type ReportUri } from '../report-uri.ts'
import { isDmarcRecord, tagOf } from './record.ts'

type Mailto = Extract<ReportUri, { kind: 'mailto' }>

export interface Destinations<Uri> {
  readonly to: readonly Uri[]
  /** Those that get none, and why. */
  readonly refused: readonly { readonly uri: string; readonly why: string }[]
  /** DNS did not answer for some: they may be destinations later. */
  readonly uncertain: boolean
}

/** Chars of a name in DNS. */
const nameChars = 253

/**
 * Never rejects for what DNS does.
 *
 * @param policyDomain Where the record was found.
 * @param most Destinations at most.
 */
export async function findDmarcDestinations(
  resolver: Resolver,
  policyDomain: string,
  rua: string,
  most: number,
): Promise<Destinations<Mailto>> {
  const to = new Map<string, Mailto>()
  const refused: { uri: string; why: string }[] = []
  let uncertain = false
  for (const uri of readReportUris(rua)) {
    if (uri.kind !== 'mailto') {
      refused.push({ uri: uri.url, why: 'only mailto is used for DMARC' })
      continue
    }
    if (to.size >= most) {
      refused.push({ uri: uri.address, why: `only ${most} destinations are used` })
      continue
    }
    try {
      const allowed = await allowedBy(resolver, policyDomain, uri)
      if (typeof allowed === 'string') refused.push({ uri: uri.address, why: allowed })
      else for (const one of allowed.slice(0, most - to.size)) to.set(one.address, one)
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error
      uncertain = true
      refused.push({ uri: uri.address, why: `DNS does not answer: ${error.question}` })
    }
  }
  return { to: [...to.values()], refused, uncertain }
}

/** @returns Where to; or why not. @throws {DnsFailure} */
async function allowedBy(
  resolver: Resolver,
  policyDomain: string,
  uri: Mailto,
): Promise<readonly Mailto[] | string> {
  if (await isOneOrganization(resolver, policyDomain, uri.domain)) return [uri]
  const name = `${policyDomain}._report._dmarc.${uri.domain}`
  if (name.length > nameChars) return 'the name of its consent would be too long'
  const records = (await resolver.query(name, 'TXT')).records.filter(isDmarcRecord)
  if (records.length === 0) return `${uri.domain} does not say that it wants them`
  const rua = records.map((record) => tagOf(record, 'rua')).find((found) => found !== null)
  if (rua === undefined || rua === null) return [uri]
  // §4 step 9: it may name other addresses of its own; one elsewhere takes the consent back.
  const others = readReportUris(rua)
  const own = others.filter((other) => other.kind === 'mailto' && other.domain === uri.domain) as Mailto[]
  return own.length === others.length && own.length > 0
    ? own
    : `${uri.domain} sends them on to another domain`
}

/** @throws {DnsFailure} */
async function isOneOrganization(resolver: Resolver, one: string, other: string): Promise<boolean> {
  if (one === other) return true
  const of = async (domain: string): Promise<string> =>
    organizationalDomain(domain, await walkTree(resolver, domain, []))
  return (await of(one)) === (await of(other))
}
