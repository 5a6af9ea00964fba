/**
 * Ties one POP3 session to its socket: cuts octets into lines, sends replies in order, puts TLS underneath, minds time.
 *
 * Commands are answered one after another however they were pipelined (RFC 2449 §6.6); replies that are ready in the
 * same turn go out in one write. A message is read from the store no faster than the client takes it. A connection that
 * ends, times out or breaks without QUIT removes nothing (RFC 1939 §6).
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LineReader } from '../../base/line-reader.ts'
import type { Peer } from '../../base/peer.ts'
import { base64LineOctets } from '../../sasl/base64.ts'
import { DotStuffer, stuffLine } from '../wire/dot-stuffer.ts'
import { formatFirstLine, misuse, type MultiLine, refuse, type Reply } from '../wire/reply.ts'
import type { Pop3DoorOptions } from './options.ts'
import { answer, counted, greeting, Session } from './session.ts'

const readAheadOctets = 65_536
/** Octets of replies gathered before they are written. */
const gatherOctets = 16_384
/** Pipelined commands answered before other connections have their turn. */
const commandsPerTurn = 50

export class Connection {
  readonly #peer: Peer
  readonly #options: Pop3DoorOptions
  readonly #session: Session
  readonly #reader = new LineReader()
  readonly #done: () => void
  #gathered = ''
  #writeScheduled = false
  #busy = false
  #draining = false
  /** The peer has sent FIN: what it sent before is still answered. */
  #inputEnded = false
  #closing = false
  /** Set while a line is waited for. */
  #cancelDeadline: (() => void) | null = null

  constructor(peer: Peer, options: Pop3DoorOptions, done: () => void) {
    this.#peer = peer
    this.#options = options
    this.#session = new Session(options, peer)
    this.#done = done
    peer.handle({
      data: (chunk) => this.#data(chunk),
      end: () => this.#end(),
      // RFC 1939 §3: the timer closes without a word and without the UPDATE state.
      idle: () => this.#idle(),
      close: () => this.#closed(),
    })
    peer.setIdleTimeout(options.limits.pop3IdleTimeoutMs)
  }

  async start(): Promise<void> {
    this.#busy = true
    if (this.#options.implicitTls && !(await this.#startTls())) return
    this.#gather(greeting(this.#session))
    this.#busy = false
    await this.#pump()
  }

  /** Ends the session as soon as no command is at work. Marks for deletion are forgotten, as RFC 1939 §6 has it. */
  drain(): void {
    this.#draining = true
    if (!this.#busy) this.#shutDown()
  }

  #shutDown(): void {
    if (this.#closing) return
    this.#gather(refuse('Server is shutting down, try again later', 'SYS/TEMP').reply)
    this.#close()
  }

  #data(chunk: Uint8Array): void {
    if (this.#closing) return
    this.#reader.push(chunk)
    if (!this.#busy) void this.#pump()
    else if (this.#reader.bufferedOctets > readAheadOctets) this.#peer.pause()
  }

  /** Works through what has been read, until more must come. */
  async #pump(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      for (let answered = 1; !this.#closing && (await this.#command()); answered++) {
        if (this.#draining) this.#shutDown()
        if (answered % commandsPerTurn === 0) await this.#written()
      }
      this.#writeGathered()
    } catch (error) {
      // A body that broke off in the middle: the final dot is missing, so the client knows that it has not all.
      this.#options.log.error('pop3 connection failed', { error })
      this.#peer.destroy()
    }
    this.#busy = false
    if (this.#draining) this.#shutDown()
    this.#peer.resume()
    if (this.#inputEnded) this.#close()
    this.#awaitLine()
  }

  /** @returns False when a whole line has not come yet. */
  async #command(): Promise<boolean> {
    const inSasl = this.#session.phase === 'sasl'
    const next = this.#reader.next(inSasl ? base64LineOctets : this.#options.limits.commandLineOctets)
    if (next.kind !== 'more') this.#lineCame()
    switch (next.kind) {
      case 'more':
        return false
      case 'bare-lf':
        // Nothing waits silently, and nothing behind it is trusted: docs/decisions/002.
        this.#gather(misuse('Lines end with CRLF (try nc -C)').reply)
        this.#close()
        return false
      case 'too-long': {
        this.#session.phase = inSasl ? 'authorization' : this.#session.phase
        const given = counted(this.#session, misuse('Line is too long').reply)
        this.#gather(given.reply)
        if (given.next === 'close') this.#close()
        return true
      }
      case 'line':
        await this.#answer(next.line)
        return true
    }
  }

  async #answer(line: string): Promise<void> {
    const { reply, next } = await answer(this.#session, line)
    this.#gather(reply)
    if (reply.rest !== undefined) await this.#sendRest(reply.rest)
    if (next === 'close') this.#close()
    else if (next === 'stls') {
      // RFC 2595 §4, CVE-2011-0411: what was pipelined in the clear behind STLS is forgotten.
      this.#reader.discard()
      this.#writeGathered()
      await this.#startTls()
    }
  }

  async #sendRest(rest: MultiLine): Promise<void> {
    if (rest.kind === 'lines') {
      for (const line of rest.lines) {
        this.#gathered += stuffLine(line)
        if (this.#gathered.length >= gatherOctets) await this.#written()
        if (this.#peer.closed) return
      }
      this.#gathered += '.\r\n'
      return
    }
    await this.#sendOctets(rest.pieces)
  }

  /** Holds one piece back, so that the end goes out in one write with the last of it. */
  async #sendOctets(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const stuffer = new DotStuffer()
    let held: Uint8Array | null = null
    for await (const piece of pieces) {
      if (held !== null) {
        this.#writeGathered()
        this.#peer.write(held)
      }
      await this.#peer.drained()
      if (this.#peer.closed) return
      held = stuffer.push(piece)
    }
    this.#writeGathered()
    if (held !== null) this.#peer.write(held)
    this.#peer.write(stuffer.end())
  }

  async #startTls(): Promise<boolean> {
    const { tls, limits, log } = this.#options
    if (tls === null) throw new Error('No certificate')
    try {
      this.#session.secured(await this.#peer.startTls(tls.terms(), limits.tlsHandshakeTimeoutMs))
      return true
    } catch (error) {
      log.info('tls handshake failed', { remote: this.#peer.remoteAddress, error })
      this.#peer.destroy()
      return false
    }
  }

  #gather(reply: Reply): void {
    this.#gathered += formatFirstLine(reply) + '\r\n'
    if (this.#gathered.length >= gatherOctets) this.#writeGathered()
    if (this.#gathered === '' || this.#writeScheduled) return
    // The next command may take long: what is ready does not wait for it.
    this.#writeScheduled = true
    setImmediate(() => {
      this.#writeScheduled = false
      this.#writeGathered()
    })
  }

  #writeGathered(): void {
    if (this.#gathered === '') return
    this.#peer.write(this.#gathered)
    this.#gathered = ''
  }

  /** A client that asks and does not read waits here, and so do we. */
  async #written(): Promise<void> {
    this.#writeGathered()
    await this.#peer.drained()
    await nextTurn()
  }

  #close(): void {
    if (this.#closing) return
    this.#closing = true
    // Before the last words: whoever reads them may log in again at once, though the connection is not gone yet.
    this.#session.close()
    this.#writeGathered()
    this.#peer.end()
  }

  #end(): void {
    this.#inputEnded = true
    if (this.#closing) this.#peer.destroy()
    else if (!this.#busy) this.#close()
  }

  /** RFC 1939 §3 counts from command to command: octets that drip without a line do not keep a session alive. */
  #awaitLine(): void {
    if (this.#closing || this.#cancelDeadline !== null) return
    const { clock, limits } = this.#options
    this.#cancelDeadline = clock.after(limits.pop3IdleTimeoutMs, () => this.#peer.destroy())
  }

  #lineCame(): void {
    this.#cancelDeadline?.()
    this.#cancelDeadline = null
  }

  #idle(): void {
    // While an answer is at work it is the peer that does not read, or we that are slow: only the former is idle.
    if (this.#closing || !this.#busy || this.#peer.waitingOctets > 0) this.#peer.destroy()
  }

  #closed(): void {
    this.#closing = true
    this.#lineCame()
    this.#session.close()
    this.#done()
  }
}
