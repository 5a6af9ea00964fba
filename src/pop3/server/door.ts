import type { Door } from '../../base/listener.ts'
import { Connection } from './connection.ts'
import type { Pop3DoorOptions } from './options.ts'

/** The door on port 110, or with `implicitTls` the one on 995. */
export function createPop3Door(options: Pop3DoorOptions): Door {
  if (options.implicitTls && options.tls === null)
    throw new Error('TLS from the first octet needs a certificate')
  const connections = new Set<Connection>()
  return {
    busyGreeting: options.implicitTls ? '' : '-ERR [SYS/TEMP] Too many connections, try again later\r\n',
    serve(peer, done) {
      const connection = new Connection(peer, options, () => {
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
