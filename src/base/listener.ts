/** Binds addresses for one door, and bounds how many connections come in. */
import type { Socket } from 'node:net'
import type { Endpoint } from './config.ts'
import { bindPorts, type BoundPort } from './bound-port.ts'
import { systemClock } from './clock.ts'
import { ConnectionGate, type GateRefusal } from './connection-gate.ts'
import { Peer, plainAddress } from './peer.ts'
import { Roster } from './roster.ts'

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
  /** Connections served, and told that they are one too many, so far. */
  readonly accepted: number
  readonly turnedAway: number
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
  return serveAt(door, await bindPorts(endpoints), limits)
}

/** As `listen`, at ports that are bound already. */
export function serveAt(door: Door, ports: readonly BoundPort[], limits: ListenerLimits): Listener {
  const peers = new Roster<Peer>()
  const gate = limits.gate ?? gateOfOneDoor(limits)
  let idle: (() => void) | null = null
  let turnedAway = 0
  let turnedAwayInAll = 0
  let accepted = 0

  function turnAway(socket: Socket, greeting: string): void {
    turnedAwayInAll++
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
    const leave = peers.enter(peer)
    accepted++
    door.serve(peer, () => {
      leave()
      admitted.leave()
      if (peers.size === 0) idle?.()
    })
  }

  for (const port of ports) port.serve(welcome)

  return {
    endpoints: ports.map(({ endpoint }) => endpoint),
    get connections() {
      return peers.size
    },
    get accepted() {
      return accepted
    },
    get turnedAway() {
      return turnedAwayInAll
    },
    async close(graceMs) {
      for (const port of ports) port.close()
      door.drain()
      if (peers.size === 0) return
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => {
          for (const peer of peers.all()) peer.destroy()
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
