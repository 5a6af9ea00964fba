/**
 * Ties one SMTP session to its socket: cuts octets into lines, sends replies in order, puts TLS underneath, minds time.
 *
 * Commands are answered one after another however they were pipelined (RFC 2920 §3.1). Replies go out in one write when
 * all that has come has been worked through, or when something must be waited for. While a command is at work, or the
 * client takes no replies, no more than `readAheadOctets` are read.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { andThen } from '../../base/at-once.ts'
import { LineReader } from '../../base/line-reader.ts'
import type { Peer } from '../../base/peer.ts'
import { base64LineOctets } from '../../sasl/base64.ts'
import { readProxyHeader } from '../wire/proxy-header.ts'
import { formatReply, type Reply } from '../wire/reply.ts'
import { Deadline } from './deadline.ts'
import { handOverJourney, recordedLine } from './journey.ts'
import type { SmtpDoorOptions } from './options.ts'
import { noteRefusal } from './refusals.ts'
import { type Answer, answer, greeting, lineTooLong, Session } from './session.ts'
import { ChunkTransfer, DataTransfer, type Transfer } from './transfer.ts'

const readAheadOctets = 65_536
/** Pipelined commands answered before other connections have their turn. */
const commandsPerTurn = 50
/** Octets of a message taken before other connections have their turn: one poll of the system brings up to 2 MB. */
const octetsPerTurn = 65_536

export class Connection {
  readonly #peer: Peer
  readonly #options: SmtpDoorOptions
  readonly #session: Session
  readonly #reader = new LineReader()
  readonly #done: () => void
  /** For the next command, one that has begun, and the next block of a message. */
  readonly #deadline: Deadline
  /** A command had begun when the deadline was looked at last. */
  #midLine = false
  /** What octets belong to now; null: they are commands. */
  #transfer: Transfer | null = null
  /** Octets of the transfer when its block began. */
  #blockStart = 0
  #octetsThisTurn = 0
  /** Whose connection it is must be said first. */
  #proxied: boolean
  #greeted = false
  #busy = false
  #draining = false
  /** The peer has sent FIN: what it sent before is still answered. */
  #inputEnded = false
  #closing = false

  constructor(peer: Peer, options: SmtpDoorOptions, done: () => void) {
    this.#peer = peer
    this.#options = options
    this.#session = new Session(options, peer, this.#reader)
    this.#done = done
    this.#proxied = options.proxies.includes(peer.remoteAddress)
    this.#deadline = new Deadline(options.clock, () => this.#late())
    peer.handle({
      data: (chunk) => this.#data(chunk),
      end: () => this.#end(),
      // A client that takes no replies, and is waited for.
      idle: () => this.#peer.destroy(),
      close: () => this.#closed(),
    })
  }

  async start(): Promise<void> {
    await this.#pump()
  }

  /** Ends the session as soon as no command is at work, RFC 5321 §3.8. */
  drain(): void {
    this.#draining = true
    if (!this.#busy) this.#shutDown()
  }

  #shutDown(): void {
    if (this.#closing || this.#transfer !== null) return
    this.#send({
      code: 421,
      status: '4.3.2',
      lines: [`${this.#options.hostname} is shutting down, try again later`],
    })
    this.#close()
  }

  #data(chunk: Uint8Array): void {
    if (this.#closing) return
    this.#reader.push(chunk)
    if (this.#busy) {
      if (this.#reader.bufferedOctets > readAheadOctets) this.#peer.pause()
      return
    }
    void this.#pump()
  }

  /** Works through what has been read, until more must come. */
  async #pump(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      for (let steps = 1; !this.#closing; steps++) {
        const stepped = this.#step()
        if (stepped instanceof Promise) this.#peer.flush()
        // Not awaited when it is there: a command that is answered at once costs no turn of the microtask queue.
        const more = stepped instanceof Promise ? await stepped : stepped
        // TLS hands on several records in one turn: what the last step did not see may have come while it was awaited.
        if (!more && (this.#transfer === null || this.#reader.bufferedOctets === 0)) break
        if (this.#draining) this.#shutDown()
        if (steps % commandsPerTurn === 0) await this.#othersTurn()
      }
    } catch (error) {
      // Only a defect of ours leads here; the client is told to come again and nothing was accepted.
      this.#options.log.error('smtp connection failed', { error })
      this.#send({ code: 421, status: '4.3.0', lines: ['Local error, closing connection'] })
      this.#close()
    }
    this.#busy = false
    this.#peer.flush()
    this.#mindTime()
    if (this.#draining) this.#shutDown()
    this.#peer.resume()
    if (this.#inputEnded) this.#close()
  }

  /** Silence has an end, and what has begun must come to its own, however few octets come at a time. */
  #mindTime(): void {
    if (this.#closing) return
    const { limits } = this.#options
    if (this.#transfer !== null) {
      const { octets } = this.#transfer
      const whole = octets - this.#blockStart >= limits.smtpBlockOctets
      if (this.#deadline.set && !whole) return
      this.#blockStart = octets
    } else if (this.#proxied) {
      if (!this.#deadline.set) this.#deadline.setIn(limits.proxyHeaderTimeoutMs)
      return
    } else {
      const before = this.#midLine
      this.#midLine = this.#reader.midLine
      if (this.#deadline.set && this.#midLine && before) return
    }
    this.#deadline.setIn(limits.smtpCommandTimeoutMs)
  }

  #late(): void {
    // A command at work has bounds of its own.
    if (this.#proxied) this.#leaveProxy('nothing came in time')
    else if (this.#busy) this.#deadline.setIn(this.#options.limits.smtpCommandTimeoutMs)
    else this.#timedOut()
  }

  #step(): Promise<boolean> | boolean {
    if (this.#proxied) return this.#meetProxy()
    if (!this.#greeted) return this.#greet()
    return this.#transfer === null ? this.#command() : this.#read(this.#transfer)
  }

  /** @returns False when the header is not whole, or is none. */
  async #meetProxy(): Promise<boolean> {
    const octets = this.#reader.take()
    const header = readProxyHeader(octets)
    if (header.kind === 'more') {
      this.#reader.unread(octets)
      return false
    }
    if (header.kind === 'bad') {
      this.#leaveProxy(header.why)
      return false
    }
    this.#proxied = false
    this.#deadline.clear()
    this.#reader.unread(octets.subarray(header.octets))
    const { addresses } = header
    if (addresses === null) return true
    const refused = this.#peer.place.moveTo(addresses.remoteAddress)
    if (refused !== null) {
      this.#options.log.info('turned away', { remote: addresses.remoteAddress, reason: refused.text })
      this.#peer.destroy()
      return false
    }
    this.#session.beginAnew(addresses)
    this.#session.mayVouch = this.#options.xclient.includes(addresses.remoteAddress)
    return true
  }

  /** Without a word: whoever is there speaks something else, or is not the proxy we were told of. */
  #leaveProxy(why: string): void {
    this.#options.log.warn('no PROXY header', { remote: this.#peer.remoteAddress, why })
    this.#peer.destroy()
  }

  /** @returns False when the connection is at its end. */
  #greet(): Promise<boolean> | boolean {
    const secured = this.#options.implicitTls ? this.#startTls(this.#reader.take()) : true
    return andThen(secured, (ready) => {
      if (!ready) return false
      this.#greeted = true
      return this.#sayWelcome()
    })
  }

  /** A client that asks and does not read waits here, and so do we. */
  async #othersTurn(): Promise<void> {
    const { outputOctets, smtpCommandTimeoutMs } = this.#options.limits
    this.#peer.flush()
    if (this.#peer.waitingOctets > outputOctets) {
      this.#peer.setIdleTimeout(smtpCommandTimeoutMs)
      await this.#peer.drained()
      this.#peer.setIdleTimeout(0)
    }
    await nextTurn()
  }

  /** @returns False when a whole line has not come yet. */
  #command(): Promise<boolean> | boolean {
    const inSasl = this.#session.phase === 'auth'
    const next = this.#reader.next(inSasl ? base64LineOctets : this.#options.limits.commandLineOctets)
    switch (next.kind) {
      case 'more':
        return false
      case 'bare-lf':
        // Nothing waits silently, and nothing behind it is trusted: docs/decisions/002.
        this.#send({ code: 500, status: '5.5.2', lines: ['Lines end with CRLF (try nc -C)'] })
        this.#close()
        return false
      case 'too-long':
        this.#session.recorder.wire('C', '(line too long)')
        return this.#act(lineTooLong(this.#session))
      case 'line':
        this.#session.recorder.wire('C', recordedLine(this.#session, next.line))
        return andThen(answer(this.#session, next.line), (given) => this.#act(given))
    }
  }

  /** @returns False when the connection is at its end. */
  #act(given: Answer): Promise<boolean> | boolean {
    this.#deadline.clear()
    if (given.chunk !== undefined) {
      this.#transfer = new ChunkTransfer(given.chunk, given.reply)
      return true
    }
    if (given.next === 'greet') return this.#sayWelcome()
    this.#send(given.reply)
    if (given.next === 'data') this.#transfer = new DataTransfer(this.#session.incoming!)
    else if (given.next === 'close') this.#close()
    else if (given.next === 'leave') this.#close(this.#reader.bufferedOctets === 0)
    else if (given.next === 'starttls') {
      // RFC 3207 §4.2, CVE-2011-0411: what was pipelined in the clear behind STARTTLS is forgotten.
      this.#reader.discard()
      return this.#startTls()
    }
    return true
  }

  #sayWelcome(): Promise<boolean> | boolean {
    return andThen(greeting(this.#session), (given) => this.#act(given))
  }

  /** @returns False when the message or the chunk goes on in octets that have not come yet. */
  async #read(transfer: Transfer): Promise<boolean> {
    const octets = this.#reader.take()
    const pushed = transfer.push(octets)
    const { state, rest } = pushed instanceof Promise ? await pushed : pushed
    if (state === 'more') {
      this.#octetsThisTurn += octets.length
      if (this.#octetsThisTurn >= octetsPerTurn) {
        this.#octetsThisTurn = 0
        await nextTurn()
      }
      return this.#reader.bufferedOctets > 0
    }
    if (rest.length > 0) this.#reader.unread(rest)
    this.#transfer = null
    this.#deadline.clear()
    const { replies, message } = await transfer.finish()
    for (const reply of replies) {
      if (reply.code >= 400) noteRefusal(this.#session, 'end', reply)
      this.#send(reply)
    }
    if (state === 'abandon') this.#close()
    if (message !== null) {
      handOverJourney(this.#session, message)
      this.#session.reset()
    }
    return state === 'end'
  }

  /** @param early Octets of the handshake that came with what was before it. */
  async #startTls(early?: Uint8Array): Promise<boolean> {
    const { tls, limits, log } = this.#options
    if (tls === null) throw new Error('No certificate')
    try {
      this.#session.secured(await this.#peer.startTls(tls.terms(), limits.tlsHandshakeTimeoutMs, early))
      this.#session.recorder.event('secured', 'tls.done', { ...this.#session.tls })
      return true
    } catch (error) {
      log.info('tls handshake failed', { remote: this.#peer.remoteAddress, error })
      return false
    }
  }

  #send(reply: Reply): void {
    const text = formatReply(reply, this.#session.enhanced)
    this.#options.replied?.(reply.code)
    this.#peer.gather(text)
    this.#session.recorder.reply(text, reply.lines.length)
  }

  /** @param leaving The client awaits nothing but the last reply. */
  #close(leaving = false): void {
    if (this.#closing) return
    this.#closing = true
    this.#deadline.end()
    this.#session.incoming?.abort()
    if (leaving) this.#peer.leave()
    else this.#peer.end()
  }

  #end(): void {
    this.#inputEnded = true
    if (this.#closing) this.#peer.destroy()
    else if (!this.#busy) this.#close()
  }

  #timedOut(): void {
    // RFC 5321 §4.5.3.2.7.
    this.#send({
      code: 421,
      status: '4.4.2',
      lines: [`${this.#options.hostname} Timeout, closing connection`],
    })
    this.#close()
  }

  #closed(): void {
    this.#closing = true
    this.#session.incoming?.abort()
    handOverJourney(this.#session, null)
    this.#session.filters.close()
    this.#deadline.end()
    this.#done()
  }
}
