/** What is known about one message that came in, as DMARC sees it: who judges senders calls `observe` with it. */

export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'
export type DkimResult = 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'
export type DmarcRequest = 'none' | 'quarantine' | 'reject'

/** The DMARC record that was found, RFC 9989; a tag that it does not have is null. */
export interface ObservedPolicy {
  /** Where the record was found, A-labels: the Policy Domain. */
  readonly domain: string
  readonly p: DmarcRequest
  readonly sp: DmarcRequest | null
  readonly np: DmarcRequest | null
  readonly adkim: 'r' | 's'
  readonly aspf: 'r' | 's'
  /** RFC 7489 §6.3; RFC 9989 knows it no more. */
  readonly pct: number | null
  /** `t=y`. */
  readonly testing: boolean
  readonly fo: string | null
  readonly discoveryMethod: 'psl' | 'treewalk'
}

/** RFC 9990; `forwarded` and `sampled_out` are of RFC 7489. */
export interface OverrideReason {
  readonly type: 'local_policy' | 'mailing_list' | 'other' | 'policy_test_mode' | 'trusted_forwarder'
  readonly comment: string | null
}

export interface DmarcObservation {
  /** Milliseconds since 1970. */
  readonly at: number
  /** IPv4 or IPv6. */
  readonly sourceAddress: string
  /** A-labels; '' for the null reverse-path. */
  readonly reversePathDomain: string
  /** Of the From field, A-labels. */
  readonly headerFromDomain: string
  readonly policy: ObservedPolicy
  /** The value of the record's `rua` tag; null: nobody wants a report, and nothing is observed. */
  readonly rua: string | null
  /** Of the reverse-path, or of HELO for the null one; null: not checked. */
  readonly spf: { readonly domain: string; readonly result: SpfResult } | null
  /** In the order of RFC 9990: those that pass and align first. */
  readonly dkim: readonly {
    readonly domain: string
    readonly selector: string
    readonly result: DkimResult
  }[]
  readonly aligned: { readonly spf: boolean; readonly dkim: boolean }
  /** What was done; `pass`: it passed, and the policy would have asked for something else than `none`. */
  readonly disposition: DmarcRequest | 'pass'
  readonly reasons: readonly OverrideReason[]
}

/** What the judge of senders is given. Costs microseconds, and never throws. */
export interface DmarcObserver {
  observe(observation: DmarcObservation): void
}
