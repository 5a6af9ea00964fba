/** What is found out about a sender, as the Authentication-Results field and as events of the journey. */
import type { EventData, Kind } from '../../journey/event.ts'
import { isHostName } from '../../dns/name.ts'
import type { ArcResult } from '../../mailauth/arc/verifier.ts'
import type { DkimResult } from '../../mailauth/dkim/verifier.ts'
import type { DmarcResult } from '../../mailauth/dmarc/evaluate.ts'
import type { IprevResult } from '../../mailauth/iprev.ts'
import type { MessageVerdict } from '../../mailauth/message-verifier.ts'
import {
  formatAuthenticationResults,
  type MethodResult,
  type ResultProperty,
} from '../../mailauth/results-field.ts'
import type { SpfIdentityResult } from '../../mailauth/spf/check-spf.ts'

/** What is known at the end; null: not looked at. */
export interface SenderFindings {
  readonly iprev: IprevResult | null
  readonly helo: SpfIdentityResult | null
  readonly spf: SpfIdentityResult | null
  readonly message: MessageVerdict | null
  readonly dmarc: DmarcResult | null
  /** The hop whose word replaced the author's policy. */
  readonly trustedHop: string | null
}

export interface Transaction {
  readonly hostname: string
  readonly clientName: string
  readonly reversePath: string
  readonly remoteAddress: string
}

/** A stranger says how long it gets; all fields above a letter share one bound, and one that does not fit is lost whole. */
const fieldOctetsMax = 4_000

/**
 * RFC 8601 §2.2. What is too long has fewer signatures in it, and those that say the least are left out first.
 *
 * @returns With its CRLF.
 */
export function resultsField(findings: SenderFindings, transaction: Transaction): string {
  let listed = findings.message?.dkim.length ?? 0
  for (;;) {
    const results = methodResults(findings, transaction, listed)
    const field = formatAuthenticationResults({ server: transaction.hostname, results })
    if (field.length <= fieldOctetsMax || listed <= 1) return field
    listed--
  }
}

function methodResults(findings: SenderFindings, transaction: Transaction, listed: number): MethodResult[] {
  const results: MethodResult[] = []
  const { iprev, helo, spf, message, dmarc, trustedHop } = findings
  if (iprev !== null) results.push(iprevResult(iprev))
  if (helo !== null) results.push(spfResult(helo, transaction))
  if (spf !== null) results.push(spfResult(spf, transaction))
  if (message !== null) results.push(...dkimResults(message, listed))
  if (message !== null && message.arc.instances > 0) results.push(arcResult(message.arc, transaction))
  if (dmarc !== null) results.push(dmarcResult(dmarc, trustedHop))
  return results
}

const property = (type: string, name: string, value: string | null): ResultProperty[] =>
  value === null || value === '' ? [] : [{ type, property: name, value }]

const reasonOf = (reason: string | null): { reason?: string } => (reason === null ? {} : { reason })

function iprevResult({ result, reason, address, name }: IprevResult): MethodResult {
  return {
    ...{ method: 'iprev', result, ...reasonOf(reason) },
    ...(name !== null && isHostName(name) ? { comment: name } : {}),
    properties: property('policy', 'iprev', address),
  }
}

function spfResult(spf: SpfIdentityResult, { clientName, reversePath }: Transaction): MethodResult {
  const who =
    spf.identity === 'helo' ? property('smtp', 'helo', clientName) : property('smtp', 'mailfrom', reversePath)
  return { method: 'spf', result: spf.result, ...reasonOf(spf.reason), properties: who }
}

function dkimResults({ dkim, dkimSkipped }: MessageVerdict, listed: number): MethodResult[] {
  if (dkim.length === 0) return [{ method: 'dkim', result: 'none', properties: [] }]
  const most = listed < dkim.length ? dkim.toSorted(passedFirst).slice(0, listed) : dkim
  const left: string[] = []
  if (listed < dkim.length) left.push(`${dkim.length - listed} more not listed`)
  if (dkimSkipped > 0) left.push(`${dkimSkipped} more not looked at`)
  return most.map((one, index) => ({
    ...{ method: 'dkim', result: one.result, ...reasonOf(one.reason) },
    ...(index === most.length - 1 && left.length > 0 ? { comment: left.join(', ') } : {}),
    properties: [
      ...property('header', 'd', one.domain),
      ...property('header', 'i', one.identity === `@${one.domain}` ? null : one.identity),
      ...property('header', 's', one.selector),
      ...property('header', 'a', one.algorithm),
      ...property('header', 'b', one.shortSignature),
    ],
  }))
}

const passedFirst = (a: DkimResult, b: DkimResult): number =>
  Number(b.result === 'pass') - Number(a.result === 'pass')

/** RFC 8617 §10.2: smtp.remote-ip is for those who evaluate the chain later. */
function arcResult({ result, reason, hops }: ArcResult, { remoteAddress }: Transaction): MethodResult {
  const domains = hops.map(({ instance, domain }) => `i=${instance} ${domain}`)
  return {
    ...{ method: 'arc', result, comment: domains.join(', '), ...reasonOf(reason) },
    properties: property('smtp', 'remote-ip', remoteAddress),
  }
}

function dmarcResult(dmarc: DmarcResult, trustedHop: string | null): MethodResult {
  const { result, authorDomain, policy, policyDomain, policyTag } = dmarc
  const reason = trustedHop === null ? dmarc.reason : `${dmarc.reason}, but ${trustedHop} says that it passed`
  return {
    ...{ method: 'dmarc', result, ...reasonOf(result === 'pass' ? null : reason) },
    ...(policyTag === null || policyTag === 'p' ? {} : { comment: `${policyTag}=${policy}` }),
    properties: [
      ...property('header', 'from', authorDomain),
      ...property('polrec', 'p', policy),
      ...property('polrec', 'domain', policyDomain === authorDomain ? null : policyDomain),
    ],
  }
}

/** Chars of a stranger's text that a journey keeps. */
const keptChars = 1_000

/** RFC 8617 counts; the others say which record and which mechanism decided. */
export function senderEvents(findings: SenderFindings): [kind: Kind, data: EventData][] {
  const { iprev, helo, spf, message, dmarc, trustedHop } = findings
  const events: [Kind, EventData][] = []
  if (iprev !== null) events.push(['auth.iprev', { ...iprev }])
  for (const one of [helo, spf]) if (one !== null) events.push(['auth.spf', spfEvent(one)])
  if (message !== null) {
    for (const one of message.dkim) events.push(['auth.dkim', dkimEvent(one)])
    if (message.dkim.length === 0) events.push(['auth.dkim', { result: 'none' }])
    if (message.arc.instances > 0) events.push(['auth.arc', arcEvent(message.arc)])
  }
  if (dmarc !== null) events.push(['auth.dmarc', dmarcEvent(dmarc, trustedHop)])
  return events
}

function spfEvent(spf: SpfIdentityResult): EventData {
  const { record, mechanism, explanation } = spf
  return {
    ...spf,
    record: record?.slice(0, keptChars) ?? null,
    mechanism: mechanism?.slice(0, keptChars) ?? null,
    explanation: explanation?.slice(0, keptChars) ?? null,
  }
}

function dkimEvent(dkim: DkimResult): EventData {
  return { ...dkim, record: dkim.record?.slice(0, keptChars) ?? null }
}

function dmarcEvent(dmarc: DmarcResult, trustedHop: string | null): EventData {
  return { ...dmarc, record: dmarc.record?.slice(0, keptChars) ?? null, trustedHop }
}

function arcEvent({ result, reason, instances, hops }: ArcResult): EventData {
  const said = hops.map(({ instance, domain, selector, results }) => ({
    ...{ instance, domain, selector },
    results: results?.results.map((one) => `${one.method}=${one.result}`).slice(0, 20) ?? null,
  }))
  return { result, reason, instances, hops: said }
}
