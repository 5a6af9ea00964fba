import type { EventData, Kind } from '../../journey/event.ts'
import type { FilterClient } from '../filter/filter.ts'
import { visibleTo } from './journey.ts'
import type { Session } from './session.ts'

/** A session as filters see it: what holds at the time they look. */
export function filterClient(session: Session): FilterClient {
  const { options } = session
  return {
    role: options.role,
    hostname: options.hostname,
    get remoteAddress() {
      return session.peer.remoteAddress
    },
    get remotePort() {
      return session.peer.remotePort
    },
    get localAddress() {
      return session.peer.localAddress
    },
    get localPort() {
      return session.peer.localPort
    },
    get trusted() {
      return options.trusted.includes(session.peer.remoteAddress)
    },
    get clientName() {
      return session.clientName
    },
    get extended() {
      return session.extended
    },
    get tls() {
      return session.tls
    },
    get account() {
      return session.account
    },
    get waitingOctets() {
      return session.waitingOctets()
    },
    record(kind: Kind, data: EventData) {
      session.recorder.event('judged', kind, data, { visibleTo: visibleTo(session) })
    },
  }
}
