/**
 * Ports that are bound before anybody serves them: while the process still has the right to, or by who started us.
 * Connections that come meanwhile wait.
 */
import { createServer, isIPv4, type Server, type Socket } from 'node:net'
import type { Endpoint } from './config.ts'

export interface BoundPort {
  readonly endpoint: Endpoint
  /** Hands over what waits and what comes. Once. */
  serve(welcome: (socket: Socket) => void): void
  /** Accepts no more; connections that wait are dropped. */
  close(): void
}

/** Connections that wait for the server behind the port; the system holds as many again. */
const waitingMax = 200

/** All endpoints of one door, or none. @throws {Error} An address cannot be bound: the text says which, and why. */
export async function bindPorts(endpoints: readonly Endpoint[]): Promise<BoundPort[]> {
  const bound: BoundPort[] = []
  try {
    for (const endpoint of endpoints) {
      const { address: host, port } = endpoint
      const ipv6Only = hasIpv4Twin(endpoint, endpoints)
      const name = `${host}:${port}`
      bound.push(await open(name, (server) => server.listen({ host, port, ipv6Only, backlog: 1024 })))
    }
  } catch (error) {
    for (const port of bound) port.close()
    throw error
  }
  return bound
}

/** Takes over a listening TCP socket that this process was started with. @throws {Error} It is none. */
export function adoptPort(descriptor: number): Promise<BoundPort> {
  return open(`descriptor ${descriptor}`, (server) => server.listen({ fd: descriptor }))
}

/** Alone, `[::]:25` takes IPv4 as well; beside `0.0.0.0:25` it must not, or the second of them finds the port in use. */
function hasIpv4Twin({ address, port }: Endpoint, all: readonly Endpoint[]): boolean {
  return address === '::' && all.some((other) => isIPv4(other.address) && other.port === port)
}

function open(name: string, start: (server: Server) => void): Promise<BoundPort> {
  let waiting: Socket[] = []
  let welcome = (socket: Socket): void => {
    socket.on('error', () => {})
    if (waiting.length < waitingMax) waiting.push(socket)
    else socket.destroy()
  }
  // allowHalfOpen: a client may send its commands, then FIN, and still wants the answers.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => welcome(socket))
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`Cannot listen on ${name}: ${error.message}`, { cause: error })),
    )
    server.once('listening', () => {
      server.removeAllListeners('error')
      // A failed accept costs its connection; the door stays open. Without descriptors libuv accepts on its spare one
      // and hangs up, docs/decisions/191.
      server.on('error', () => {})
      const bound = server.address()
      if (bound === null || typeof bound === 'string') {
        server.close()
        reject(new Error(`Cannot listen on ${name}: it is no TCP socket`))
        return
      }
      resolve({
        endpoint: { address: bound.address, port: bound.port },
        serve(next) {
          welcome = next
          for (const socket of waiting.splice(0)) if (!socket.destroyed) next(socket)
        },
        close() {
          server.close()
          for (const socket of waiting) socket.destroy()
          waiting = []
        },
      })
    })
    start(server)
  })
}
