import type { Door } from '../../base/listener.ts'
import { Connection } from './connection.ts'
import type { ImapDoorOptions } from './options.ts'
import { ImapShared } from './shared.ts'

/** The door on port 143 (STARTTLS) or 993 (TLS from the first octet). */
export function createImapDoor(options: ImapDoorOptions): Door {
  if (options.implicitTls && options.tls === null)
    throw new Error('TLS from the first octet needs a certificate')
  const connections = new Set<Connection>()
  const shared = options.shared ?? new ImapShared()
  // A getter such as `defaultDomain` must stay one, so the options are inherited and not copied.
  const own: ImapDoorOptions = Object.create(options, { shared: { value: shared, enumerable: true } })
  return {
    busyGreeting: options.implicitTls ? '' : '* BYE [UNAVAILABLE] Too many connections, try again later\r\n',
    serve(peer, done) {
      const connection = new Connection(peer, own, () => {
        connections.delete(connection)
        done()
      })
      connections.add(connection)
      void connection.start()
    },
    drain() {
      for (const connection of connections) connection.drain()
    },
  }
}
