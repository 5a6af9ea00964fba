import type { Clock } from '../base/clock.ts'
import type { Endpoint } from '../base/config.ts'
import type { Dialler } from '../base/dialler.ts'
import type { Limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { JourneySink } from '../journey/event.ts'
import type { SmtpClientOptions } from '../smtp/client/client.ts'
import type { SmtpClientLimits } from '../smtp/client/timeouts.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Filed, Store } from '../store/store.ts'
import type { LocalDelivery } from './local-delivery.ts'
import type { TlsSession } from './tls-session.ts'

/** How much is done at once. */
export interface QueueBounds {
  /** Outgoing connections, all destinations together. */
  readonly connections: number
  readonly connectionsPerDestination: number
  /** Then QUIT and, if more are due, a new connection: no host is held for ever. */
  readonly messagesPerConnection: number
  /** Messages waiting for each open connection to a destination before another one is opened. */
  readonly messagesBeforeAnother: number
  /** Rows held under a lease, waiting or under way; only rows, no bodies. */
  readonly held: number
  /** Messages that are filed at home at once; each may have `inlineBodyOctets` in memory. */
  readonly atHome: number
}

export const defaultQueueBounds: QueueBounds = {
  connections: 100,
  connectionsPerDestination: 10,
  messagesPerConnection: 100,
  messagesBeforeAnother: 5,
  held: 1_000,
  atHome: 10,
}

/** How long a row is ours; renewed at half of it while we hold the row. */
export const leaseMs = 5 * 60_000

/** A queued letter that was filed here. */
export interface FiledHere {
  /** Forward-paths. */
  readonly recipients: readonly string[]
  /** Never empty. */
  readonly filed: readonly Filed[]
  readonly octets: number
}

export interface QueueOptions {
  readonly store: Store
  readonly resolver: Resolver
  /** Null: nothing is ever attempted, rows stay as they are. */
  readonly dialler: Dialler | null
  /** Addresses that `dialler` never connects to, routes apart. Absent: none. */
  readonly isForbidden?: (address: string) => boolean
  /** `config.routes`; keys in A-labels, lower case. */
  readonly routes: ReadonlyMap<string, Endpoint | 'discard'>
  readonly hostname: string
  readonly ehloName: string
  readonly limits: Pick<Limits, 'queueLifeMs' | 'delayWarningMs' | 'returnedMessageOctets'>
  /** Asked anew each time. Absent or null: `defaultRetryMs`. */
  readonly retryMs?: () => readonly number[] | null
  /**
   * Signs a report that leaves this server; absent: none is.
   *
   * @param domain Of its author, our own.
   * @returns Fields with their CRLF, to stand above it.
   */
  readonly signReport?: (octets: Uint8Array, domain: string) => Promise<readonly string[]>
  /** The host that takes the mail of a domain instead of its MX; null: none. */
  readonly primaryOf?: (domain: string) => Promise<string | null>
  /** Told of what was filed here, once it is on disk. Must not throw, and return at once. */
  readonly filed?: (letter: FiledHere) => void
  /** Told how each session fared with TLS. Must not throw. */
  readonly tlsSession?: (session: TlsSession) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly journeys: JourneySink
  readonly localDelivery: LocalDelivery
  /** PEM of authorities that count besides the well-known ones. */
  readonly tls: { readonly ca: readonly string[] }
  /** `lecture` is the Lab's. Default: `esmtp`. */
  readonly dialect?: SmtpClientOptions['dialect']
  /** Default: 25. */
  readonly port?: number
  /** Read when they bind: its values may change. */
  readonly bounds?: Partial<QueueBounds>
  readonly clientLimits?: Partial<SmtpClientLimits>
}
