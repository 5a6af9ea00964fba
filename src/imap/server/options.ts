import type { Authenticator } from '../../auth/authenticator.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { JourneySink } from '../../journey/event.ts'
import type { Store } from '../../store/store.ts'
import type { ServerTls } from '../../tls/server-tls.ts'
import type { ImapShared } from './shared.ts'

export interface ImapDoorOptions {
  /** TLS from the first octet, RFC 8314 §3.2. */
  readonly implicitTls: boolean
  /** Said in the greeting. */
  readonly hostname: string
  /** What a log-in without a domain belongs to. */
  readonly defaultDomain: string
  readonly store: Store
  readonly authenticator: Authenticator
  /** Null: STARTTLS is not offered. */
  readonly tls: ServerTls | null
  /** Log-in without TLS: never, or only from loopback. */
  readonly plaintext: 'never' | 'loopback'
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  /** `noJourneys` when nothing is to be recorded. */
  readonly journeys: JourneySink
  /** What the doors of one server know in common; absent: this door has its own. */
  readonly shared?: ImapShared
}
