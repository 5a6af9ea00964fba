import type { Authenticator } from '../../auth/authenticator.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { JourneySink } from '../../journey/event.ts'
import type { Store } from '../../store/store.ts'
import type { ServerTls } from '../../tls/server-tls.ts'
import type { MaildropLocks } from './maildrop-locks.ts'

export interface Pop3DoorOptions {
  /** TLS from the first octet, RFC 8314 §3.3. */
  readonly implicitTls: boolean
  /** Said in journeys only: the lecture's greeting names nobody. */
  readonly hostname: string
  /** What `user bob` belongs to. */
  readonly defaultDomain: string
  readonly store: Pick<Store, 'findMailbox' | 'loadIndex' | 'getEmails' | 'readBody' | 'expunge'>
  readonly authenticator: Authenticator
  /** One for all POP3 doors of a store. */
  readonly locks: MaildropLocks
  /** Null: STLS is not offered. */
  readonly tls: ServerTls | null
  /** Log-in without TLS: never, or only from 127.0.0.0/8 and ::1. */
  readonly plaintext: 'never' | 'loopback'
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly journeys: JourneySink
}
