/** `[checks]`: whether the sender of incoming mail is genuine, and what follows from it. */
export interface ChecksConfig {
  /** `judge`: look and tell; `refuse`: a `fail` is refused at MAIL. */
  readonly spf: 'off' | 'judge' | 'refuse'
  /** DKIM signatures and ARC chains are verified. */
  readonly dkim: boolean
  /** `enforce`: what the author's domain asks for is done. It takes `dkim` and `spf` to know that nothing passed. */
  readonly dmarc: 'off' | 'judge' | 'enforce'
  /** Domains, A-labels, whose ARC seal is believed: mailing lists and forwarders that change what passes through. */
  readonly trustedArc: readonly string[]
  /** Also mail from `guards.trusted`: for the Lab, where everybody is. */
  readonly judgeTrusted: boolean
}

export const defaultChecks: ChecksConfig = {
  spf: 'judge',
  dkim: true,
  dmarc: 'enforce',
  trustedArc: [],
  judgeTrusted: false,
}
