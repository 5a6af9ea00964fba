import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { ReportLimits } from '../../base/report-limits.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { DmarcGatherer } from '../dmarc/gather.ts'
import type { TlsGatherer } from '../tls/gather.ts'
import type { ReportIdentity } from './identity.ts'

/** A report as mail, ready but for its signature. */
export interface ReportLetter {
  readonly from: string
  readonly to: string
  /** Header and body, 7-bit. */
  readonly octets: Uint8Array
  /** With its angle brackets. */
  readonly messageId: string
  readonly subject: string
  /** RFC 8460: a TLS report has to arrive where TLS is broken, so no policy for TLS holds it up. */
  readonly tlsOptional: boolean
}

/** How reports leave: declared here, filled by `daemon`. */
export interface ReportPost {
  /** Signs it and hands it to the queue; fulfilled when it is on disk. @throws {StoreUnavailable} */
  mail(letter: ReportLetter): Promise<void>
  /** Fulfilled when the other side has taken it, RFC 8460 @throws {Error} */
  upload(url: string, content: Uint8Array, mediaType: string): Promise<void>
}

export interface SendingWorld {
  /** Null: reports of that kind are not sent; read anew each time. */
  readonly dmarc: DmarcGatherer | null
  readonly tls: TlsGatherer | null
  /** Whether a domain gets no report. @param domain A-labels. */
  excludes(domain: string): boolean
  readonly limits: ReportLimits
  readonly resolver: Resolver
  readonly post: ReportPost
  /** Asked for each time: the first domain may be added while the server runs. */
  identity(): Promise<ReportIdentity>
  /** `Posthorn 1.0`. */
  readonly generator: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** What became of one report, or would. */
export interface ReportOutcome {
  readonly kind: 'dmarc' | 'tls'
  readonly domain: string
  /** ALPHA and DIGIT. */
  readonly reportId: string
  /** Milliseconds since 1970. */
  readonly begin: number
  readonly end: number
  /** Of messages, or of sessions. */
  readonly count: number
  /** Octets of the attachment. */
  readonly octets: number
  readonly to: readonly string[]
  readonly refused: readonly { readonly uri: string; readonly why: string }[]
  /** `nobody`: there is no destination. `later`: DNS or a server of theirs did not answer; it is tried again. */
  readonly state: 'sent' | 'ready' | 'nobody' | 'excluded' | 'later'
}
