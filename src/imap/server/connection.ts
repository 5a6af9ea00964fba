/**
 * Ties one IMAP session to its socket: cuts octets into commands, answers them one after another however they were
 * pipelined, puts TLS underneath, minds time.
 *
 * While a command is at work no more than `readAheadOctets` are read; a literal is asked for, taken, streamed to the store
 * or swallowed here, within bounds, before its command is looked at.
 */
import type { Peer } from '../../base/peer.ts'
import { announcesMessage } from '../wire/append.ts'
import { type Announcement, Framing, type FramedCommand } from '../wire/framing.ts'
import { findTag, parseCommand } from '../wire/parser.ts'
import { Refusal, bad, refuse } from '../wire/refusal.ts'
import { continuation, tagged } from '../wire/response.ts'
import { type ArrivedMessage, ArrivingMessage } from './arriving-message.ts'
import type { Dialogue } from './dialogue.ts'
import { greeting } from './login-policy.ts'
import type { ImapDoorOptions } from './options.ts'
import { answer, counted, Session, type Answer } from './session.ts'

const readAheadOctets = 65_536
/** Pipelined commands answered before other connections have their turn. */
const commandsPerTurn = 20
/** After so long others have their turn in any case: some commands look at every mailbox of an account. */
const longCommandUs = 2_000
/** Octets of a message taken before other connections have their turn: one poll of the system brings up to 2 MB. */
const octetsPerTurn = 65_536
/** Literals of one command that are held in memory, all together. */
const heldOctets = 65_536

export class Connection implements Dialogue {
  readonly #peer: Peer
  readonly #options: ImapDoorOptions
  readonly #session: Session
  readonly #framing: Framing
  readonly #done: () => void
  #message: ArrivingMessage | null = null
  #octetsThisTurn = 0
  #cancelLoginTimer: () => void = () => {}
  /** Resolves when something has come, or the input has ended. */
  #wake: (() => void) | null = null
  /** A command is at work, and no line of the client is waited for. */
  #busy = false
  #draining = false
  #inputEnded = false
  #closing = false

  constructor(peer: Peer, options: ImapDoorOptions, done: () => void) {
    this.#peer = peer
    this.#options = options
    this.#framing = new Framing(options.limits.imapLineOctets)
    this.#session = new Session(options, this)
    this.#done = done
    peer.handle({
      data: (chunk) => this.#data(chunk),
      end: () => this.#end(),
      idle: () => this.#idle(),
      close: () => this.#closed(),
    })
  }

  get remoteAddress(): string {
    return this.#peer.remoteAddress
  }

  get remoteName(): string {
    return this.#peer.remoteName
  }

  get localName(): string {
    return this.#peer.localName
  }

  get secure(): boolean {
    return this.#peer.tls !== null
  }

  get certified(): readonly string[] {
    return this.#peer.tls?.client?.accounts ?? []
  }

  get closed(): boolean {
    return this.#closing || this.#peer.closed
  }

  enter(accountId: number): boolean {
    return this.#peer.place.enter(accountId)
  }

  leave(): void {
    this.#peer.place.leave()
  }

  write(data: string | Uint8Array): void {
    if (!this.#closing) this.#peer.write(data)
  }

  async breathe(): Promise<void> {
    if (this.#peer.waitingOctets > this.#options.limits.outputOctets) await this.#peer.drained()
    else await new Promise((resolve) => setImmediate(resolve))
  }

  async readLine(maxOctets: number): Promise<string | null> {
    for (;;) {
      const event = this.#framing.nextLine()
      if (event.kind === 'line' && event.line.length <= maxOctets) return event.line
      if (event.kind === 'line' || event.kind === 'too-long') throw bad('Line is too long')
      if (event.kind === 'bare-lf') return this.#refuseBareLf()
      if (!(await this.#more())) return null
    }
  }

  async start(): Promise<void> {
    try {
      this.#armTimers()
      if (this.#options.implicitTls && !(await this.#startTls())) return
      this.write(greeting(this.#session))
      let turnUs = this.#options.clock.monotonicUs()
      for (let served = 1; !this.#closing && (await this.#serveOne()); served++) {
        if (this.#draining) this.#shutDown()
        // A client that asks and does not read waits here, and so do we.
        const isAhead = this.#peer.waitingOctets > this.#options.limits.outputOctets
        const tookLong = this.#options.clock.monotonicUs() - turnUs > longCommandUs
        if (!isAhead && !tookLong && served % commandsPerTurn !== 0) continue
        await this.breathe()
        turnUs = this.#options.clock.monotonicUs()
      }
    } catch (error) {
      // Only a defect of ours leads here.
      this.#options.log.error('imap connection failed', { error })
      this.write('* BYE Local error, closing connection\r\n')
    }
    this.#close()
  }

  /** Ends the session as soon as no command is at work. */
  drain(): void {
    this.#draining = true
    if (!this.#busy) this.#shutDown()
  }

  #shutDown(): void {
    if (this.#closing) return
    // RFC 5530 §3: UNAVAILABLE tells a client that it may come again.
    this.write('* BYE [UNAVAILABLE] Server is shutting down\r\n')
    this.#close()
  }

  /** @returns False when no further command will come. */
  async #serveOne(): Promise<boolean> {
    const framed = await this.#nextCommand()
    if (framed === null) return false
    const { limits } = this.#options
    const parsed = parseCommand(framed, limits)
    if (parsed.kind === 'refused') {
      this.#discardMessage()
      this.#send(parsed.tag, counted(this.#session, parsed.refusal.result))
      return true
    }
    const { tag, command } = parsed
    const message = await this.#finishMessage()
    if (message instanceof Refusal) {
      this.#discardMessage()
      this.#send(tag, message.result)
      return true
    }
    const wireText = framed.texts.map((text, i) => text + literalMark(framed, i)).join('')
    const given = await answer(this.#session, command, { tag, wireText, message })
    this.#discardMessage()
    if (given.next === 'starttls') await this.#upgrade(tag, given)
    else this.#send(tag, given)
    this.#armTimers()
    return true
  }

  /** The next whole command; null when none will come. */
  async #nextCommand(): Promise<FramedCommand | null> {
    for (;;) {
      const event = this.#framing.next()
      switch (event.kind) {
        case 'more':
          if (!(await this.#more())) return null
          break
        case 'bare-lf':
          return this.#refuseBareLf()
        case 'literal':
          if (!this.#decide(event.announced, event.command)) return null
          break
        case 'chunk':
          this.#busy = true
          await this.#message?.write(event.octets)
          this.#octetsThisTurn += event.octets.length
          if (this.#octetsThisTurn >= octetsPerTurn) {
            this.#octetsThisTurn = 0
            await this.breathe()
          }
          break
        case 'skipped': {
          const text = event.reason === 'line-too-long' ? 'Line is too long' : 'Literal is too large'
          this.#send(findTag(event.start), counted(this.#session, bad(text, 'TOOBIG').result))
          if (this.#closing) return null
          break
        }
        case 'command':
          this.#busy = true
          return event.command
      }
    }
  }

  /**
   * Decides about a literal: hold it, stream it to the store, or refuse it.
   *
   * @returns False when the connection has to end.
   */
  #decide({ octets, synchronising }: Announcement, command: FramedCommand): boolean {
    const { limits } = this.#options
    const account = this.#session.account
    const isMessage = account !== null && announcesMessage(command)
    const held = command.literals.reduce(
      (sum, literal) => sum + (literal.text === null ? 0 : literal.octets),
      0,
    )
    const small = account === null ? limits.imapEarlyLiteralOctets : heldOctets
    if (isMessage ? octets <= limits.submissionOctets : held + octets <= small) {
      if (isMessage) this.#message = new ArrivingMessage(this.#options.store, limits)
      if (isMessage) this.#framing.stream()
      else this.#framing.hold()
      // RFC 3501 §7.5; a non-synchronising literal gets none, RFC 7888 §4.
      if (synchronising) this.write(continuation('Go ahead'))
      return true
    }
    if (synchronising) {
      this.#framing.drop()
      const refusal = isMessage
        ? refuse('TOOBIG', 'Message is too large')
        : bad('Literal is too large', 'TOOBIG')
      this.#discardMessage()
      this.#send(findTag(command.texts[0] ?? ''), counted(this.#session, refusal.result))
      return !this.#closing
    }
    // RFC 7888 §4: swallow it, or close the connection where that would be too much.
    if (octets <= (account === null ? heldOctets : limits.submissionOctets)) {
      this.#framing.skip()
      return true
    }
    this.write('* BYE [TOOBIG] Literal is too large\r\n')
    this.#close()
    return false
  }

  async #finishMessage(): Promise<ArrivedMessage | Refusal | null> {
    if (this.#message === null) return null
    try {
      return await this.#message.finish()
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }

  #discardMessage(): void {
    this.#message?.abort()
    this.#message = null
  }

  /** Tells the result; without a tag it is about the connection, RFC 3501 §7.1.3. */
  #send(tag: string | null, given: Answer): void {
    this.write(tagged(tag ?? '*', given))
    if (given.next === 'close') this.#close()
  }

  #refuseBareLf(): null {
    this.write('* BAD Lines end with CRLF (try nc -C)\r\n* BYE Closing connection\r\n')
    this.#close()
    return null
  }

  /** Waits for more octets. @returns False when there will be none. */
  async #more(): Promise<boolean> {
    if (this.#inputEnded || this.#closing) return false
    this.#busy = false
    if (this.#draining) {
      this.#shutDown()
      return false
    }
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#peer.resume()
    })
    this.#wake = null
    this.#busy = true
    return !this.#closing && (!this.#inputEnded || this.#framing.bufferedOctets > 0)
  }

  #data(chunk: Uint8Array): void {
    if (this.#closing) return
    this.#framing.push(chunk)
    if (this.#wake === null && this.#framing.bufferedOctets > readAheadOctets) this.#peer.pause()
    this.#wake?.()
  }

  /** RFC 3501 §6.2.1: the tagged OK in the clear, then TLS; what was pipelined in the clear is forgotten. */
  async #upgrade(tag: string, given: Answer): Promise<void> {
    this.#framing.discard()
    this.#peer.resume()
    this.#send(tag, given)
    await this.#startTls()
  }

  async #startTls(): Promise<boolean> {
    const { tls, limits, log } = this.#options
    if (tls === null) throw new Error('No certificate')
    try {
      await this.#peer.startTls(tls.terms(), limits.tlsHandshakeTimeoutMs)
      return true
    } catch (error) {
      log.info('tls handshake failed', { remote: this.#peer.remoteAddress, error })
      return false
    }
  }

  /** Before log-in a minute for each command, however slowly octets drip; afterwards the idle time-out. */
  #armTimers(): void {
    const { limits, clock } = this.#options
    this.#cancelLoginTimer()
    if (this.#closing) return
    if (this.#session.account !== null) {
      this.#peer.setIdleTimeout(limits.imapIdleTimeoutMs)
      return
    }
    this.#cancelLoginTimer = clock.after(limits.imapLoginTimeoutMs, () => this.#idle())
  }

  #idle(): void {
    const owed = this.#peer.waitingOctets > 0
    if (this.#busy && !this.#closing && !owed && this.#session.account === null) {
      // The password is being judged, which is our time and not the client's.
      this.#armTimers()
      return
    }
    // A client that is owed an answer has stopped reading.
    if (this.#closing || this.#busy) {
      this.#peer.destroy()
      return
    }
    // RFC 3501 §5.4.
    this.write('* BYE Idle for too long\r\n')
    this.#close()
  }

  #close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#cancelLoginTimer()
    this.#discardMessage()
    this.#peer.end()
    this.#wake?.()
  }

  #end(): void {
    this.#inputEnded = true
    this.#wake?.()
  }

  #closed(): void {
    this.#closing = true
    this.#inputEnded = true
    this.#cancelLoginTimer()
    this.#discardMessage()
    this.#session.end()
    this.#session.onChange?.()
    this.#wake?.()
    this.#done()
  }
}

function literalMark({ literals }: FramedCommand, index: number): string {
  const literal = literals[index]
  return literal === undefined ? '' : `{${literal.octets}}`
}
