/** What an attacker has: sockets on loopback, octets of any kind, and patience within a bound. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint } from '../../src/base/config.ts'

export class Attacker {
  socket: Socket
  /** What has come and was not asked for yet, one char per octet. */
  received = ''
  /** Octets that have come altogether. */
  octets = 0
  ended = false
  closed = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
      this.octets += chunk.length
      this.#wake()
    })
    socket.on('end', () => {
      this.ended = true
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.ended = true
      this.closed = true
      this.#wake()
    })
  }

  send(octets: string | Uint8Array): this {
    if (typeof octets === 'string') this.socket.write(octets, 'latin1')
    else this.socket.write(octets)
    return this
  }

  /** All up to the end of what matches; throws when it does not come. */
  async until(pattern: RegExp, waitMs = 10_000): Promise<string> {
    const deadline = Date.now() + waitMs
    for (;;) {
      const found = pattern.exec(this.received)
      if (found !== null) {
        const end = found.index + found[0].length
        const text = this.received.slice(0, end)
        this.received = this.received.slice(end)
        return text
      }
      await this.#more(deadline, `${pattern}, received so far: ${JSON.stringify(this.received.slice(-300))}`)
    }
  }

  /** Everything that comes until the server closes. */
  async rest(waitMs = 10_000): Promise<string> {
    const deadline = Date.now() + waitMs
    while (!this.ended) await this.#more(deadline, 'the end')
    return this.received
  }

  /** Sends a command; the last line of the reply decides: `250 `, `a OK`, `+OK`. */
  ask(command: string, reply = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/): Promise<string> {
    this.send(`${command}\r\n`)
    return this.until(reply)
  }

  async #more(deadline: number, what: string): Promise<void> {
    const left = deadline - Date.now()
    if (left <= 0) throw new Error(`Waited too long for ${what}`)
    if (this.ended) throw new Error(`The server closed instead of ${what}`)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

export async function attack(endpoint: Endpoint, halfOpen = false): Promise<Attacker> {
  const socket = connect({ host: endpoint.address, port: endpoint.port, allowHalfOpen: halfOpen })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return new Attacker(socket)
}

/** Asks and never reads. @returns Octets that the server took before it stopped taking any. */
export async function askWithoutReading(attacker: Attacker, line: string, bound: number): Promise<number> {
  const { socket } = attacker
  socket.pause()
  const block = line.repeat(Math.ceil(65_536 / line.length))
  let sent = 0
  while (sent < bound) {
    sent += block.length
    if (socket.write(block, 'latin1')) continue
    const drained = new Promise<boolean>((resolve) => socket.once('drain', () => resolve(true)))
    if (!(await Promise.race([drained, sleep(1_500).then(() => false)]))) break
  }
  return sent - socket.writableLength
}

/** Sends an octet every few milliseconds until the connection is closed. @returns Milliseconds it lasted. */
export async function drip(attacker: Attacker, boundMs: number): Promise<number> {
  const startMs = Date.now()
  while (!attacker.closed && Date.now() - startMs < boundMs) {
    attacker.send('x')
    await sleep(20)
  }
  return Date.now() - startMs
}
