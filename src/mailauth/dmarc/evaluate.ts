/** DMARC, RFC 9989: does the domain that the reader sees stand behind this message, and if not, what does it ask for? */
import { DnsFailure, type Resolver } from '../../dns/resolver.ts'
import type { DkimResult } from '../dkim/verifier.ts'
import type { SpfIdentityResult } from '../spf/check-spf.ts'
import type { DmarcRecord, Policy } from './record.ts'
import { findRecord, type FoundRecord, organizationalDomain, policyRecord, walkTree } from './tree-walk.ts'

export interface DmarcResult {
  readonly result: 'pass' | 'fail' | 'none' | 'temperror'
  /** Null for a pass. */
  readonly reason: string | null
  readonly authorDomain: string | null
  /** Where the policy was found; null when there is none. */
  readonly policyDomain: string | null
  /** As published. */
  readonly record: string | null
  /** What the domain asks for a message that fails, as it stands under `policyTag`; null without a policy. */
  readonly policy: Policy | null
  readonly policyTag: 'p' | 'sp' | 'np' | null
  /** t=y: it asks to have the policy that is one level below applied, §4.7. */
  readonly testing: boolean
  /** What stands behind the author's domain: `dkim=example.com`, `spf=example.com`. */
  readonly aligned: readonly string[]
  /** Evidence that might have stood behind it, had DNS answered. */
  readonly missing: readonly string[]
  readonly asked: readonly string[]
}

export interface Evidence {
  /** Null: no From field, or authors of several domains, §5.3.1. */
  readonly authorDomain: string | null
  /** Null: not looked at. */
  readonly spf: SpfIdentityResult | null
  readonly dkim: readonly DkimResult[]
}

interface Identifier {
  readonly method: 'dkim' | 'spf'
  readonly domain: string
  readonly strict: boolean
  readonly passed: boolean
}

/** Never throws for what DNS does. */
export async function evaluateDmarc(resolver: Resolver, evidence: Evidence): Promise<DmarcResult> {
  const { authorDomain } = evidence
  const nothing = {
    ...{ authorDomain, policyDomain: null, record: null, policy: null, policyTag: null },
    ...{ testing: false, aligned: [], missing: [] },
  }
  if (authorDomain === null)
    return { ...nothing, result: 'none', reason: 'no single author domain', asked: [] }
  const asked: string[] = []
  const unknown = ({ question, reason }: DnsFailure): DmarcResult => ({
    ...{ ...nothing, result: 'temperror', reason: `${question}: ${reason}`, asked },
  })
  try {
    const { own, hidden } = await findOwn(resolver, authorDomain, asked)
    const identifiers = own === null ? null : identifiersOf(evidence, own.record, authorDomain)
    const found = await walkAsNeeded(resolver, { authorDomain, own, identifiers, asked })
    const at = own ?? policyRecord(authorDomain, found ?? [])
    if (at === null) {
      return hidden === null ? { ...nothing, result: 'none', reason: 'no policy', asked } : unknown(hidden)
    }
    const chosen = await choosePolicy(resolver, authorDomain, at, asked)
    if (chosen === null) return { ...nothing, result: 'none', reason: 'the record has no policy', asked }
    const facts = {
      ...{ authorDomain, asked, ...chosen },
      policyDomain: at.domain,
      record: at.record.text,
      testing: at.record.testing,
    }
    const organization = found === null ? null : organizationalDomain(authorDomain, found)
    const align = { resolver, authorDomain, organization, asked }
    const aligned: string[] = []
    const missing: string[] = []
    for (const identifier of identifiers ?? identifiersOf(evidence, at.record, authorDomain)) {
      // What passed decides; what is missing matters only when nothing did.
      if (!identifier.passed && aligned.length > 0) continue
      const text = `${identifier.method}=${identifier.domain}`
      const how = await isAligned(identifier, align)
      if (how === 'unknown' || (how === 'yes' && !identifier.passed)) missing.push(text)
      else if (how === 'yes') aligned.push(text)
    }
    // Its own record, which nobody sees, may say something else than the one above; but that one says who wants protection.
    if (hidden !== null) {
      const { reason, result } = unknown(hidden)
      return aligned.length > 0 ? unknown(hidden) : { ...facts, result, reason, aligned, missing }
    }
    if (aligned.length > 0) return { ...facts, result: 'pass', reason: null, aligned, missing: [] }
    // §5.3.5: what could not be found out is no failure.
    if (missing.length > 0) {
      return { ...facts, result: 'temperror', reason: 'evidence is missing for now', aligned, missing }
    }
    return { ...facts, result: 'fail', reason: 'no aligned identifier passed', aligned, missing }
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error
    return unknown(error)
  }
}

/** The record of the author's own name, or why it cannot be seen. */
async function findOwn(
  resolver: Resolver,
  authorDomain: string,
  asked: string[],
): Promise<{ own: FoundRecord | null; hidden: DnsFailure | null }> {
  try {
    return { own: await findRecord(resolver, authorDomain, asked), hidden: null }
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error
    return { own: null, hidden: error }
  }
}

/** RFC 9989 §4.10.1. @returns Null: no DMARC for this message. */
async function choosePolicy(
  resolver: Resolver,
  authorDomain: string,
  { domain, record }: { readonly domain: string; readonly record: DmarcRecord },
  asked: string[],
): Promise<{ policy: Policy; policyTag: 'p' | 'sp' | 'np' } | null> {
  if (record.badPolicy) return record.hasReportAddress ? { policy: 'none', policyTag: 'p' } : null
  const p = { policy: record.p!, policyTag: 'p' as const }
  if (domain === authorDomain) return p
  const sp = record.sp === null ? p : { policy: record.sp, policyTag: 'sp' as const }
  if (record.np === null || record.np === sp.policy) return sp
  asked.push(`${authorDomain} A`)
  try {
    // §3.2.13: non-existent as in RFC 8020, which NXDOMAIN alone says.
    const { status } = await resolver.query(authorDomain, 'A')
    return status === 'no-name' ? { policy: record.np, policyTag: 'np' } : sp
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error
    return sp
  }
}

/**
 * §4.10.2: who has a record of his own, and needs nobody else of his organization, need not be walked from.
 *
 * @returns Null: the walk could not be ended, but the policy is known already.
 * @throws {DnsFailure}
 */
async function walkAsNeeded(
  resolver: Resolver,
  known: {
    readonly authorDomain: string
    readonly own: FoundRecord | null
    readonly identifiers: readonly Identifier[] | null
    readonly asked: string[]
  },
): Promise<FoundRecord[] | null> {
  const { authorDomain, own, identifiers, asked } = known
  const others = identifiers?.some((one) => one.domain !== authorDomain && !one.strict)
  if (own !== null && others !== true) return [own]
  try {
    return await walkTree(resolver, authorDomain, asked, own)
  } catch (error) {
    if (own !== null && error instanceof DnsFailure) return null
    throw error
  }
}

/**
 * Those that passed, then those that might have; each domain once. Where the author's own name passed, only that.
 */
function identifiersOf({ spf, dkim }: Evidence, record: DmarcRecord, authorDomain: string): Identifier[] {
  const identifiers = new Map<string, Identifier>()
  const add = (method: Identifier['method'], domain: string | null, result: string): void => {
    if (domain === null || (result !== 'pass' && result !== 'temperror')) return
    // An organization is a name above: without a label in common there is none.
    if (domain.split('.').at(-1) !== authorDomain.split('.').at(-1)) return
    const passed = result === 'pass'
    const strict = method === 'dkim' ? record.strictDkim : record.strictSpf
    const key = `${method} ${domain}`
    if (passed || !identifiers.has(key)) identifiers.set(key, { method, domain, strict, passed })
  }
  for (const { domain, result } of dkim) add('dkim', domain, result)
  if (spf !== null) add('spf', spf.domain, spf.result)
  const all = [...identifiers.values()].sort((a, b) => Number(b.passed) - Number(a.passed))
  const exact = all.filter(({ domain, passed }) => passed && domain === authorDomain)
  return exact.length > 0 ? exact : all
}

/** §4.4: the same name, or relaxed the same organization. */
async function isAligned(
  { domain, strict }: Identifier,
  {
    resolver,
    authorDomain,
    organization,
    asked,
  }: {
    readonly resolver: Resolver
    readonly authorDomain: string
    /** Null: DNS did not say. */
    readonly organization: string | null
    readonly asked: string[]
  },
): Promise<'yes' | 'no' | 'unknown'> {
  if (domain === authorDomain) return 'yes'
  // The organization of a domain is above it, or is it.
  if (strict) return 'no'
  if (organization === null) return 'unknown'
  if (domain !== organization && !domain.endsWith(`.${organization}`)) return 'no'
  try {
    const found = await walkTree(resolver, domain, asked)
    return organizationalDomain(domain, found) === organization ? 'yes' : 'no'
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error
    return 'unknown'
  }
}
