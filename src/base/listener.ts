/** Binds addresses for one door, and bounds how many connections come in. */
import { createServer, isIPv4, type Server, type Socket } from 'node:net'
import type { Endpoint } from './config.ts'
import { systemClock } from './clock.ts'
import { ConnectionGate, type GateRefusal } from './connection-gate.ts'
import { Peer, plainAddress } from './peer.ts'

/** One kind of service: what it does with a connection is its own affair. */
export interface Door {
  /** Serves one connection until it ends; calls `done` once, when it has. */
  serve(peer: Peer, done: () => void): void
  /** Says farewell on every connection that is between two commands, and on the others as soon as they are. */
  drain(): void
  /** What a peer is told that is one connection too many, CRLF included; '' says nothing (TLS). */
  readonly busyGreeting: string
  /** As `busyGreeting`, for an address that is banned. Absent: the same. */
  readonly bannedGreeting?: string
}

export interface ListenerLimits {
  readonly connections: number
  readonly connectionsPerAddress: number
  /** Absent: no bound. */
  readonly connectionsPerAccount?: number
  /** Addresses that `connectionsPerAddress` does not bind. */
  readonly trusted: readonly string[]
  /** One for all doors of a server. Absent: this door has its own, and only the bounds above hold. */
  readonly gate?: ConnectionGate
}

export interface Listener {
  readonly endpoints: readonly Endpoint[]
  readonly connections: number
  /** Accepts no more; drains; resolves when all have ended, or after the grace with force. */
  close(graceMs: number): Promise<void>
}

/** Connections that are being told that they are one too many; beyond it they are closed without a word. */
const turnedAwayMax = 200
/** How long one of them may take to hear it. */
const turnedAwayMs = 1_000

/** @throws {Error} The address cannot be bound: text says which, and why. */
export async function listen(
  door: Door,
  endpoints: readonly Endpoint[],
  limits: ListenerLimits,
): Promise<Listener> {
  const peers = new Set<Peer>()
  const gate = limits.gate ?? gateOfOneDoor(limits)
  let idle: (() => void) | null = null
  let turnedAway = 0

  function turnAway(socket: Socket, greeting: string): void {
    if (turnedAway >= turnedAwayMax) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    turnedAway++
    const peer = new Peer(socket)
    peer.handle({ data() {}, end() {}, idle: () => peer.destroy(), close: () => turnedAway-- })
    if (greeting !== '') peer.write(greeting)
    peer.end(turnedAwayMs)
  }

  function welcome(socket: Socket): void {
    if (peers.size >= limits.connections) {
      turnAway(socket, door.busyGreeting)
      return
    }
    const admitted = gate.admit(plainAddress(socket.remoteAddress ?? ''))
    if ('reason' in admitted) {
      turnAway(socket, greetingFor(door, admitted))
      return
    }
    const peer = new Peer(socket, admitted)
    peers.add(peer)
    door.serve(peer, () => {
      peers.delete(peer)
      admitted.leave()
      if (peers.size === 0) idle?.()
    })
  }

  const servers: Server[] = []
  try {
    for (const endpoint of endpoints)
      servers.push(await bind(endpoint, hasIpv4Twin(endpoint, endpoints), welcome))
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }

  return {
    endpoints: servers.map(boundEndpoint),
    get connections() {
      return peers.size
    },
    async close(graceMs) {
      for (const server of servers) server.close()
      door.drain()
      if (peers.size === 0) return
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => {
          for (const peer of peers) peer.destroy()
          resolve()
        }, graceMs)
        idle = () => {
          clearTimeout(force)
          resolve()
        }
      })
    },
  }
}

function greetingFor(door: Door, { reason }: GateRefusal): string {
  // Without a word where TLS comes first.
  if (door.busyGreeting === '') return ''
  return reason === 'banned' ? (door.bannedGreeting ?? door.busyGreeting) : door.busyGreeting
}

const unbounded = Number.MAX_SAFE_INTEGER

function gateOfOneDoor(limits: ListenerLimits): ConnectionGate {
  const { connectionsPerAddress, connectionsPerAccount = unbounded, trusted } = limits
  const addresses = new Set(trusted)
  return new ConnectionGate({
    limits: {
      connectionsPerAddress,
      connectionsPerNetwork: unbounded,
      connectionsPerMinute: unbounded,
      networkConnectionsPerMinute: unbounded,
      connectionsPerAccount,
      addressesRemembered: 1_000,
    },
    clock: systemClock,
    isTrusted: (address) => addresses.has(address),
  })
}

/** Alone, `[::]:25` takes IPv4 as well; beside `0.0.0.0:25` it must not, or the second of them finds the port in use. */
function hasIpv4Twin({ address, port }: Endpoint, all: readonly Endpoint[]): boolean {
  return address === '::' && all.some((other) => isIPv4(other.address) && other.port === port)
}

function bind(endpoint: Endpoint, ipv6Only: boolean, welcome: (socket: Socket) => void): Promise<Server> {
  // allowHalfOpen: a client may send its commands, then FIN, and still wants the answers.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, welcome)
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new Error(`Cannot listen on ${endpoint.address}:${endpoint.port}: ${error.message}`, {
          cause: error,
        }),
      )
    })
    server.listen({ host: endpoint.address, port: endpoint.port, ipv6Only, backlog: 1024 }, () => {
      server.removeAllListeners('error')
      // EMFILE and the like: the connection is lost, the door stays open.
      server.on('error', () => {})
      resolve(server)
    })
  })
}

function boundEndpoint(server: Server): Endpoint {
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('Listener has no address')
  return { address: bound.address, port: bound.port }
}
