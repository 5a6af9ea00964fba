/**
 * A small authoritative name server on loopback: the Lab's DNS, and the other side of the resolver's tests.
 *
 * It answers for its own zones and refuses all else, over UDP and TCP on one port, and binds loopback only. Whatever is
 * no DNS packet is passed over in silence.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, isIP, type Server, type Socket } from 'node:net'
import type { Endpoint } from '../base/config.ts'
import { isLoopback } from '../base/peer.ts'
import { answerPacket, type Zone } from './authority-answer.ts'

export interface AuthorityOptions {
  readonly zones: readonly Zone[]
  /** 127.0.0.0/8 or ::1. */
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  /** Sets AD in every answer, as a validating resolver would for signed zones: so DANE can be shown. Default false. */
  readonly authentic?: boolean
}

export interface Authority {
  readonly endpoint: Endpoint
  /** Serves other zones from the next question on. */
  setZones(zones: readonly Zone[]): void
  close(): Promise<void>
}

const connectionsMax = 100
const idleMs = 10_000
/** How often a free port is looked for that neither UDP nor TCP has taken. */
const bindTries = 20

/** @throws {Error} The address is not loopback, or cannot be bound. */
export async function startAuthority(options: AuthorityOptions): Promise<Authority> {
  const { address, authentic = false } = options
  if (isIP(address) === 0 || !isLoopback(address)) {
    throw new Error(`Cannot serve DNS on ${address}: only loopback is allowed`)
  }
  let zones = options.zones
  const reply = (packet: Buffer, octetsMax: number) => answerPacket(packet, zones, { octetsMax, authentic })
  const connections = new Set<Socket>()
  const { udp, tcp, port } = await bindBoth(address, options.port, (socket) =>
    serveTcp(socket, connections, reply),
  )
  udp.on('message', (packet, from) => {
    const answer = reply(packet, 512)
    if (answer !== null) udp.send(answer, from.port, from.address, () => {})
  })
  udp.on('error', () => {})
  return {
    endpoint: { address, port },
    setZones(next) {
      zones = next
    },
    async close() {
      for (const socket of connections) socket.destroy()
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ])
    },
  }
}

type Reply = (packet: Buffer, octetsMax: number) => Buffer | null

/** RFC 1035 §4.2.2: every message behind its length in two octets. */
function serveTcp(socket: Socket, connections: Set<Socket>, reply: Reply): void {
  if (connections.size >= connectionsMax) {
    socket.destroy()
    return
  }
  connections.add(socket)
  let waiting: Buffer = Buffer.alloc(0)
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('error', () => {})
  socket.on('close', () => connections.delete(socket))
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= 2) {
      const octets = waiting.readUInt16BE(0)
      if (waiting.length < 2 + octets) return
      const answer = reply(waiting.subarray(2, 2 + octets), 65_535)
      waiting = waiting.subarray(2 + octets)
      if (answer === null) {
        socket.destroy()
        return
      }
      const length = Buffer.alloc(2)
      length.writeUInt16BE(answer.length)
      socket.write(Buffer.concat([length, answer]))
    }
  })
}

interface Bound {
  readonly udp: UdpSocket
  readonly tcp: Server
  readonly port: number
}

async function bindBoth(address: string, port: number, welcome: (socket: Socket) => void): Promise<Bound> {
  for (let tries = 1; ; tries++) {
    const udp = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
    try {
      await new Promise<void>((resolve, reject) => {
        udp.once('error', reject)
        udp.bind({ address, port, exclusive: true }, () => resolve())
      })
      const bound = udp.address().port
      const tcp = createServer({ noDelay: true }, welcome)
      await new Promise<void>((resolve, reject) => {
        tcp.once('error', reject)
        tcp.listen({ host: address, port: bound }, () => resolve())
      })
      tcp.on('error', () => {})
      return { udp, tcp, port: bound }
    } catch (error) {
      udp.close()
      // The port that UDP was given may be somebody's on TCP: take another one.
      if (port === 0 && tries < bindTries) continue
      const text = error instanceof Error ? error.message : String(error)
      throw new Error(`Cannot serve DNS on ${address}:${port}: ${text}`, { cause: error })
    }
  }
}
