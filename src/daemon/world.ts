import type { Config, Endpoint } from '../base/config.ts'
import type { Dialler, Surroundings } from '../base/dialler.ts'
import type { Log } from '../base/log.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { CertificateAndKey } from '../tls/certificate.ts'
import type { ReplyTexts } from '../smtp/server/options.ts'
import { systemClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'

/**
 * What a server is handed at its start instead of reaching for it. `serve` hands in the machine's own; the Lab its own
 * DNS and a dialler that stays on loopback; a test whatever it likes. Nothing else tells them apart.
 */
export interface World extends Surroundings {
  readonly resolver: Resolver
  readonly dialler: Dialler
  /** Addresses that `dialler` refuses wherever DNS leads there. Absent: none. */
  readonly isForbidden?: (address: string) => boolean
  /** To programs that the operator named, such as milters: on this machine as a rule. Absent: `dialler`. */
  readonly programDialler?: Dialler
  /** PEM of authorities that count besides the well-known ones when we send. */
  readonly authorities: readonly string[]
  /** Instead of the configured or self-made one. */
  readonly certificate?: CertificateAndKey
  /** Port that mail is sent to, 25 when absent. */
  readonly queuePort?: number
  /** The Lab's scene "as in the lecture" only; `serve` can hand in neither. */
  readonly replyTexts?: ReplyTexts
  readonly dialect?: 'esmtp' | 'lecture'
}

/** The world as it is: this machine's clock, randomness, name servers and network. */
export async function systemWorld(config: Config, log: Log): Promise<World & { close(): void }> {
  const { createResolver } = await import('../dns/stub-resolver.ts')
  const { createDialler } = await import('../smtp/client/dialler.ts')
  const { isPrivateAddress } = await import('../smtp/client/private-address.ts')
  const surroundings = { clock: systemClock, random: systemRandom, log }
  const resolver = createResolver({ ...config.dns, ...surroundings })
  return {
    ...surroundings,
    resolver,
    dialler: createDialler({
      localAddress: config.outgoing.address,
      clock: systemClock,
      ...(config.outgoing.allowPrivate ? {} : { refusePrivate: { except: () => routeEndpoints(config) } }),
    }),
    ...(config.outgoing.allowPrivate ? {} : { isForbidden: isPrivateAddress }),
    programDialler: createDialler({ localAddress: null, clock: systemClock }),
    authorities: [],
    close: () => resolver.close(),
  }
}

function routeEndpoints({ routes }: Config): Endpoint[] {
  return [...routes.values()].filter((route) => route !== 'discard')
}
