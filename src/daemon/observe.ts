/** From what the judge of senders and the queue know to what reports are made of. */
import type { SpfIdentityResult } from '../mailauth/spf/check-spf.ts'
import type { DkimResult } from '../mailauth/dkim/verifier.ts'
import { isSubdomainOrSame } from '../mailauth/domain.ts'
import type { TlsSession } from '../queue/tls-session.ts'
import type { DmarcObservation, ObservedPolicy, OverrideReason } from '../reports/dmarc/observation.ts'
import { readReportedRecord } from '../reports/dmarc/record.ts'
import type { TlsObservation } from '../reports/tls/observation.ts'
import { isListPost, type JudgedMessage } from '../smtp/guard/judge-sender.ts'

/** @returns Null: nobody wants to be told of it. */
export function dmarcObservation(judged: JudgedMessage, at: number): DmarcObservation | null {
  const { findings, reversePath, remoteAddress } = judged
  const { dmarc, spf, message, trustedHop } = findings
  const author = dmarc?.authorDomain
  if (dmarc === null || author === undefined || author === null) return null
  if (dmarc.policyDomain === null || dmarc.record === null) return null
  const { policy, rua } = readReportedRecord(dmarc.policyDomain, dmarc.record)
  if (rua === null) return null
  const asked = dmarc.policy ?? 'none'
  const passed = dmarc.result === 'pass'
  return {
    at,
    sourceAddress: remoteAddress,
    reversePathDomain: domainOf(reversePath),
    headerFromDomain: author,
    policy,
    rua,
    spf: spfOf(spf),
    dkim: dkimOf(message?.dkim ?? [], author, policy),
    aligned: {
      spf: dmarc.aligned.some((one) => one.startsWith('spf=')),
      dkim: dmarc.aligned.some((one) => one.startsWith('dkim=')),
    },
    // RFC 9990: `pass` where a policy would have asked for something.
    disposition: passed ? (asked === 'none' ? 'none' : 'pass') : judged.disposition,
    reasons: passed || asked === judged.disposition ? [] : [reasonOf(judged, dmarc.testing, trustedHop)],
  }
}

/** RFC 9990 */
function reasonOf({ findings }: JudgedMessage, testing: boolean, trustedHop: string | null): OverrideReason {
  if (trustedHop !== null) return { type: 'trusted_forwarder', comment: `arc=pass, sealed by ${trustedHop}` }
  if (testing) return { type: 'policy_test_mode', comment: null }
  if (findings.dmarc?.result === 'temperror') return { type: 'other', comment: 'DNS did not answer' }
  return { type: isListPost(findings) ? 'mailing_list' : 'local_policy', comment: null }
}

function spfOf(spf: SpfIdentityResult | null): DmarcObservation['spf'] {
  return spf === null || spf.domain === '' ? null : { domain: spf.domain, result: spf.result }
}

/** RFC 9990: those that pass in strict alignment first, then in relaxed, then others that pass. */
function dkimOf(
  results: readonly DkimResult[],
  author: string,
  policy: ObservedPolicy,
): DmarcObservation['dkim'] {
  const rank = ({ result, domain }: DkimResult): number => {
    if (result !== 'pass') return 3
    if (domain === author) return 0
    const relaxed = isSubdomainOrSame(domain ?? '', policy.domain) || isSubdomainOrSame(author, domain ?? '')
    return relaxed ? 1 : 2
  }
  return [...results]
    .sort((a, b) => rank(a) - rank(b))
    .flatMap(({ domain, selector, result }) =>
      domain === null || selector === null ? [] : [{ domain, selector, result }],
    )
}

/** The queue follows no policy of the domain (MTA-STS, DANE), so it has found none. */
export function tlsObservation(session: TlsSession, at: number): TlsObservation {
  const { domain, mxHost, sendingAddress, receivingAddress, failure, reason } = session
  return {
    ...{ at, domain, mxHost, sendingAddress, receivingAddress, failure, reason },
    policy: { type: 'no-policy-found', strings: [], mxHosts: [] },
  }
}

function domainOf(path: string): string {
  return path.slice(path.lastIndexOf('@') + 1).toLowerCase()
}
