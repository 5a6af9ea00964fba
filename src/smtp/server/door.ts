import type { Door } from '../../base/listener.ts'
import { Roster } from '../../base/roster.ts'
import { Connection } from './connection.ts'
import type { SmtpDoorOptions } from './options.ts'

/** The door on port 25, or one of those for submission (587, 465). */
export function createSmtpDoor(options: SmtpDoorOptions): Door {
  if (options.implicitTls && options.tls === null)
    throw new Error('TLS from the first octet needs a certificate')
  const connections = new Roster<Connection>()
  return {
    busyGreeting: options.implicitTls
      ? ''
      : `421 ${options.hostname} Too many connections, try again later\r\n`,
    // Temporary: a ban ends, and a server that has mended its ways comes again, RFC 5321 §4.5.4.1.
    bannedGreeting: `421 4.7.0 ${options.hostname} Connections from your address are refused for a while\r\n`,
    serve(peer, done) {
      const connection = new Connection(peer, options, () => {
        leave()
        done()
      })
      const leave = connections.enter(connection)
      void connection.start()
    },
    drain() {
      for (const connection of connections.all()) connection.drain()
    },
  }
}
