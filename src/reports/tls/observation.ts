/** How one outgoing session fared with TLS: who sends mail calls `observe` with it. */

/** RFC 8460 */
export const tlsFailureTypes = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const
export type TlsFailureType = (typeof tlsFailureTypes)[number]

/** What was asked of the session, RFC 8460 */
export interface TlsPolicy {
  readonly type: 'no-policy-found' | 'sts' | 'tlsa'
  /** Lines of the MTA-STS policy, or TLSA records; none without a policy. */
  readonly strings: readonly string[]
  /** Patterns of the MTA-STS policy. */
  readonly mxHosts: readonly string[]
}

export interface TlsObservation {
  /** Milliseconds since 1970. */
  readonly at: number
  /** The domain that the mail is for, A-labels. */
  readonly domain: string
  readonly policy: TlsPolicy
  readonly mxHost: string
  /** Ours, and that of the host. */
  readonly sendingAddress: string | null
  readonly receivingAddress: string | null
  /** Null: TLS as the policy wants it. */
  readonly failure: TlsFailureType | null
  /** Our words for it. */
  readonly reason: string | null
}

/** Costs microseconds, and never throws. */
export interface TlsObserver {
  observe(observation: TlsObservation): void
}
