/**
 * The client's end of one SMTP connection: commands out, replies in, a time-out for each wait, TLS underneath.
 *
 * Whatever the server does ends in a reply or in `ConversationLost`. Replies are taken in as they come and only when one
 * is owed: one that nobody asked for is a farewell (421) or the end, so replies and commands never get out of step.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { endpointName } from '../../base/peer.ts'
import type { Recorder } from '../../journey/recorder.ts'
import { type ClientTlsFacts, type ClientTlsOptions, startClientTls } from '../../tls/client-tls.ts'
import { type ReceivedReply, ReplyError, ReplyReader } from '../wire/reply-reader.ts'

/** The conversation is over, without the reply that was waited for. */
export class ConversationLost extends Error {
  readonly reason: 'closed' | 'timeout' | 'protocol'
  /** 421, when the server said it before it went. */
  readonly farewell: ReceivedReply | null

  constructor(
    text: string,
    reason: ConversationLost['reason'],
    farewell: ReceivedReply | null = null,
    options?: ErrorOptions,
  ) {
    super(text, options)
    this.name = 'ConversationLost'
    this.reason = reason
    this.farewell = farewell
  }
}

export class Connection {
  readonly localName: string
  readonly remoteName: string
  /** Where the lines of the dialogue go; changes with the transaction. */
  recorder: Recorder
  readonly #clock: Clock
  #socket: Socket
  #reader = new ReplyReader()
  #replies: ReceivedReply[] = []
  /** Replies the server owes us. The greeting is the first. */
  #owed = 1
  #lost: ConversationLost | null = null
  #wake: (() => void) | null = null
  /** STARTTLS has been said. */
  #endOfClear = false
  /** Its 220 has come: what follows in the clear may be anybody's, RFC 3207 §4.2. */
  #deaf = false

  constructor(socket: Socket, clock: Clock, recorder: Recorder) {
    this.#socket = socket
    this.#clock = clock
    this.recorder = recorder
    this.localName = endpointName(socket.localAddress ?? '', socket.localPort ?? 0)
    this.remoteName = endpointName(socket.remoteAddress ?? '', socket.remotePort ?? 0)
    socket.on('error', (error) => this.#lose('Connection lost', 'closed', error))
    this.#listen(socket)
  }

  get lost(): ConversationLost | null {
    return this.#lost
  }

  /** Whether a reply has come that nobody has read yet. */
  get replyWaiting(): boolean {
    return this.#replies.length > 0
  }

  /**
   * Sends command lines in one write, RFC 2920 §3.1; each is owed a reply.
   *
   * @param lines Without CRLF, one char per octet.
   * @throws {ConversationLost}
   */
  send(...lines: readonly string[]): void {
    if (this.#lost !== null) throw this.#lost
    for (const line of lines) {
      // A line within a line would be a command that nobody meant.
      if (/[\r\n\0]/.test(line)) throw new Error('Cannot send an SMTP command: it holds a line end')
      this.recorder.wire('C', line)
    }
    this.#owed += lines.length
    this.#socket.write(lines.map((line) => `${line}\r\n`).join(''), 'latin1')
  }

  /** STARTTLS; once it is answered by 220, nothing more is believed in the clear. */
  sendStartTls(): void {
    this.send('STARTTLS')
    this.#endOfClear = true
  }

  /** From here on the server owes the reply to the message, which it may give before it has all of it. */
  expectMessageReply(): void {
    this.#owed++
  }

  /**
   * Sends octets of the message; resolves when the system has taken them.
   *
   * Returns early when the server has answered before the end: look at `replyWaiting`.
   *
   * @throws {ConversationLost} Also when they were not taken in time.
   */
  async sendBlock(octets: string | Uint8Array, timeoutMs: number): Promise<void> {
    if (this.replyWaiting) return
    if (this.#lost !== null) throw this.#lost
    const socket = this.#socket
    const taken = typeof octets === 'string' ? socket.write(octets, 'latin1') : socket.write(octets)
    if (taken) return
    // Also woken by a reply: the caller looks whether there is one.
    const drained = (): void => this.#wake?.()
    socket.on('drain', drained)
    try {
      await this.#until(
        () => !socket.writableNeedDrain || this.replyWaiting,
        timeoutMs,
        'a block of the message',
      )
    } finally {
      socket.off('drain', drained)
    }
  }

  /**
   * The next reply that is owed. After 421 the connection is closed.
   *
   * @param what Named in the error when it does not come: `MAIL`.
   * @throws {ConversationLost}
   */
  async reply(timeoutMs: number, what: string): Promise<ReceivedReply> {
    await this.#until(() => this.replyWaiting, timeoutMs, `the reply to ${what}`)
    const reply = this.#replies.shift()!
    // RFC 5321 §3.8: said at any time; the server closes, and so do we.
    if (reply.code === 421) this.#lose('The server closed the conversation', 'closed', undefined, reply)
    return reply
  }

  /**
   * TLS underneath. What was received in the clear and not read yet is forgotten, RFC 3207 §4.2: it could be anybody's.
   *
   * @throws {Error} The handshake failed; the connection is closed.
   */
  async startTls(options: Omit<ClientTlsOptions, 'clock'>): Promise<ClientTlsFacts> {
    const plain = this.#socket
    plain.removeAllListeners('data').removeAllListeners('close').removeAllListeners('end')
    this.#reader = new ReplyReader()
    this.#replies = []
    this.#endOfClear = false
    this.#deaf = false
    try {
      const { socket, facts } = await startClientTls(plain, { ...options, clock: this.#clock })
      this.#socket = socket
      socket.on('error', (error) => this.#lose('Connection lost', 'closed', error))
      this.#listen(socket)
      return facts
    } catch (error) {
      this.#lose('TLS handshake failed', 'closed', error)
      throw error
    }
  }

  /** Sends what is waiting, then closes. */
  end(): void {
    this.#socket.end()
    this.#lose('Connection closed by us', 'closed', undefined, null, false)
    const socket = this.#socket
    const cancel = this.#clock.after(1_000, () => socket.destroy())
    socket.once('close', cancel)
  }

  /** Closes at once. @param text Why, for whoever waits for a reply. */
  destroy(text = 'Connection closed by us', reason: ConversationLost['reason'] = 'closed'): void {
    this.#lose(text, reason)
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => this.#lose('The server closed the connection', 'closed'))
    socket.on('close', () => this.#lose('The server closed the connection', 'closed'))
  }

  #receive(chunk: Buffer): void {
    if (this.#lost !== null || this.#deaf) return
    this.#reader.push(chunk)
    try {
      for (let reply = this.#reader.next(); reply !== null; reply = this.#reader.next()) {
        for (const line of reply.rawLines) this.recorder.wire('S', line)
        if (this.#owed > 0) {
          this.#owed--
          this.#replies.push(reply)
          this.#deaf = this.#endOfClear && reply.code === 220 && this.#owed === 0
          if (this.#deaf) break
        } else if (reply.code === 421) {
          this.#lose('The server closed the conversation', 'closed', undefined, reply)
          return
        } else {
          throw new ReplyError('Cannot follow the server: a reply without a command')
        }
      }
    } catch (error) {
      const text = error instanceof ReplyError ? error.message : 'Cannot read the reply'
      this.#lose(text, 'protocol', error)
    }
    this.#wake?.()
  }

  async #until(ready: () => boolean, timeoutMs: number, what: string): Promise<void> {
    if (ready()) return
    const cancel = this.#clock.after(timeoutMs, () => this.#lose(`Waited too long for ${what}`, 'timeout'))
    try {
      while (!ready()) {
        if (this.#lost !== null) throw this.#lost
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      this.#wake = null
      cancel()
    }
  }

  #lose(
    text: string,
    reason: ConversationLost['reason'],
    cause?: unknown,
    farewell: ReceivedReply | null = null,
    destroy = true,
  ): void {
    if (destroy) this.#socket.destroy()
    if (this.#lost !== null) return
    this.#lost = new ConversationLost(text, reason, farewell, cause === undefined ? {} : { cause })
    this.#wake?.()
  }
}
