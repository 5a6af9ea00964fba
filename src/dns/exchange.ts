/**
 * One question put to one server: over UDP from a port of its own, over TCP when the answer did not fit or somebody else
 * seems to be answering. Every end is a value; nothing here rejects.
 */
import { createSocket } from 'node:dgram'
import { connect, isIP } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { Endpoint } from '../base/config.ts'
import type { Random } from '../base/random.ts'
import { encodeQuestion, type Question, readResponse, type Response, responseOctetsMax } from './response.ts'

export interface ExchangeWorld {
  readonly clock: Clock
  readonly random: Random
  /** What ends when the resolver is closed. */
  readonly open: Set<() => void>
}

export interface Asking {
  readonly server: Endpoint
  readonly question: Question
  /** Of UDP and of TCP each. */
  readonly timeoutMs: number
}

/** Wrong packets at which UDP is given up: somebody is guessing, and may guess right (RFC 5452 §9.2). */
const strangersMax = 5

export async function exchange(asking: Asking, world: ExchangeWorld): Promise<Response> {
  let edns = true
  for (;;) {
    let response = await overUdp(asking, edns, world)
    if (response.kind === 'truncated') response = await overTcp(asking, edns, world)
    if (response.kind === 'no-edns') {
      if (!edns) return { kind: 'failed', reason: 'servfail' }
      edns = false
      continue
    }
    // Cut over TCP as well: an answer that nobody can have.
    return response.kind === 'truncated' ? { kind: 'failed', reason: 'malformed' } : response
  }
}

/** RFC 5452 §4.5 and §9.2: random id, random port (the system's), and only packets from where the question went. */
function overUdp(asking: Asking, edns: boolean, world: ExchangeWorld): Promise<Response> {
  const { server, question } = asking
  const id = randomId(world.random)
  let strangers = 0
  return settleOnce(asking.timeoutMs, world, (settle) => {
    const socket = createSocket(isIP(server.address) === 6 ? 'udp6' : 'udp4')
    socket.on('error', () => settle({ kind: 'failed', reason: 'network' }))
    socket.on('message', (packet) => {
      const response = readResponse(packet, id, question)
      if (response !== null) settle(response)
      else if (++strangers >= strangersMax) settle({ kind: 'truncated' })
    })
    // Connected: the system drops what comes from elsewhere, and reports a port where nobody listens.
    socket.connect(server.port, server.address, () => {
      socket.send(encodeQuestion(id, question, edns), (error) => {
        if (error !== null) settle({ kind: 'failed', reason: 'network' })
      })
    })
    return () => socket.close()
  })
}

/** RFC 7766; one question a connection. */
function overTcp(asking: Asking, edns: boolean, world: ExchangeWorld): Promise<Response> {
  const { server, question } = asking
  const id = randomId(world.random)
  const packet = encodeQuestion(id, question, edns)
  return settleOnce(asking.timeoutMs, world, (settle) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(packet.length)
    let waiting: Buffer = Buffer.alloc(0)
    const socket = connect({ host: server.address, port: server.port, noDelay: true })
    socket.on('error', () => settle({ kind: 'failed', reason: 'network' }))
    socket.on('close', () => settle({ kind: 'failed', reason: 'network' }))
    socket.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk])
      if (waiting.length < 2) return
      const octets = waiting.readUInt16BE(0)
      if (octets > responseOctetsMax) {
        settle({ kind: 'failed', reason: 'malformed' })
        return
      }
      if (waiting.length < 2 + octets) return
      const response = readResponse(waiting.subarray(2, 2 + octets), id, question)
      settle(response ?? { kind: 'failed', reason: 'malformed' })
    })
    socket.write(Buffer.concat([length, packet]))
    return () => socket.destroy()
  })
}

/** Runs something that ends by an answer, by time, or by the resolver being closed, whichever comes first. */
function settleOnce(
  timeoutMs: number,
  world: ExchangeWorld,
  start: (settle: (response: Response) => void) => () => void,
): Promise<Response> {
  return new Promise((resolve) => {
    let stop: (() => void) | null = null
    let settled = false
    const settle = (response: Response): void => {
      if (settled) return
      settled = true
      cancel()
      world.open.delete(close)
      stop?.()
      resolve(response)
    }
    const cancel = world.clock.after(timeoutMs, () => settle({ kind: 'failed', reason: 'timeout' }))
    const close = (): void => settle({ kind: 'failed', reason: 'network' })
    world.open.add(close)
    stop = start(settle)
    // It ended before it could be stopped.
    if (settled) stop()
  })
}

function randomId(random: Random): number {
  const [high = 0, low = 0] = random.bytes(2)
  return high * 256 + low
}
