import type { EventData, Kind } from '../../journey/event.ts'
import type { FilterClient, FilterRole } from '../filter/filter.ts'
import { visibleTo } from './journey.ts'
import type { Session } from './session.ts'

/**
 * A session as filters see it: what holds at the time they look.
 *
 * A class, since an object literal with getters gets a hidden class of its own each time it is made, and these lie in V8's
 * old space and hold the getters, and so the session, until the next full collection.
 */
export class SessionClient implements FilterClient {
  readonly role: FilterRole
  readonly hostname: string
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
    this.role = session.options.role
    this.hostname = session.options.hostname
  }

  get remoteAddress(): FilterClient['remoteAddress'] {
    return this.#session.peer.remoteAddress
  }

  get remotePort(): FilterClient['remotePort'] {
    return this.#session.peer.remotePort
  }

  get localAddress(): FilterClient['localAddress'] {
    return this.#session.peer.localAddress
  }

  get localPort(): FilterClient['localPort'] {
    return this.#session.peer.localPort
  }

  get trusted(): FilterClient['trusted'] {
    return this.#session.options.trusted.includes(this.remoteAddress)
  }

  get clientName(): FilterClient['clientName'] {
    return this.#session.clientName
  }

  get extended(): FilterClient['extended'] {
    return this.#session.extended
  }

  get tls(): FilterClient['tls'] {
    return this.#session.tls
  }

  get account(): FilterClient['account'] {
    return this.#session.account
  }

  get waitingOctets(): FilterClient['waitingOctets'] {
    return this.#session.input.bufferedOctets
  }

  record(kind: Kind, data: EventData): void {
    this.#session.recorder.event('judged', kind, data, { visibleTo: visibleTo(this.#session) })
  }
}
