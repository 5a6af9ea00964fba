import type { Recorder } from '../journey/recorder.ts'
import type { Random } from '../base/random.ts'
import type { Resolver } from './resolver.ts'

/** One host that takes mail for the domain. */
export interface MxHost {
  /** The exchange, or the domain itself when it has no MX, or the address literal with its brackets. */
  readonly hostname: string
  /** 0 for a host without MX. */
  readonly preference: number
  /** IPv6 and IPv4 in the order to try; never empty. */
  readonly addresses: readonly string[]
  /** Both the MX answer and this host's address answers were authentic (DNSSEC): a precondition of DANE. */
  readonly authentic: boolean
}

/** Where mail for a domain goes, in the order to try; or why nowhere. */
export type MxChoice =
  | { readonly kind: 'hosts'; readonly hosts: readonly MxHost[]; readonly implicit: boolean }
  | {
      readonly kind: 'permanent' | 'temporary'
      /**
       * `no-mail`: null MX, RFC 7505. `no-domain`: NXDOMAIN. `no-host`: neither MX nor address. `loop`: we ourselves are
       * the best exchange. `dns`: no answer to be had.
       */
      readonly reason: 'no-mail' | 'no-domain' | 'no-host' | 'loop' | 'dns'
      /** RFC 3463. */
      readonly status: string
      readonly text: string
    }

export interface MxOptions {
  /** Exchanges at most, the least preferred ones are dropped. */
  readonly hostsMax?: number
  readonly addressesPerHostMax?: number
  /** Our own names: exchanges not preferred over them are dropped, RFC 5321 §5.1. */
  readonly ownNames?: readonly string[]
  readonly recorder?: Recorder
}

/** @param domain A-labels, or an address literal such as `[127.0.0.1]`. Never rejects. */
export function selectMx(
  _resolver: Resolver,
  _domain: string,
  _random: Random,
  _options: MxOptions = {},
): Promise<MxChoice> {
  throw new Error('Not built yet')
}
