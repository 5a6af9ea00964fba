/** One outgoing SMTP conversation, from the connection to QUIT: what the queue calls. */
import type { Clock } from '../../base/clock.ts'
import type { Dialler, Target } from '../../base/dialler.ts'
import type { Log } from '../../base/log.ts'
import type { Recorder } from '../../journey/recorder.ts'
import { endpointName } from '../../base/peer.ts'
import type { ClientTlsFacts } from '../../tls/client-tls.ts'
import { Connection } from './connection.ts'
import { DialFailure } from './dialler.ts'
import { SmtpFailure } from './failure.ts'
import type { OutgoingMessage, SendResult } from './message.ts'
import { openConversation } from './opening.ts'
import { lostFailure } from './outcome.ts'
import { defaultSmtpClientLimits, type SmtpClientLimits } from './timeouts.ts'
import { Transaction } from './transaction.ts'

export interface ClientTlsPolicy {
  /**
   * `opportunistic`: TLS when it is offered, whatever the certificate. `required`: TLS with a certificate that is good
   * for the target's host name, or nothing. `none`: in the clear.
   */
  readonly mode: 'opportunistic' | 'none' | 'required'
  /** PEM of authorities that count besides the well-known ones. */
  readonly ca: readonly string[]
}

export interface SmtpClientOptions {
  readonly target: Target
  readonly dialler: Dialler
  readonly clock: Clock
  readonly log: Log
  /** Our own name, or an address literal when there is none, RFC 5321 §4.1.1.1. */
  readonly ehloName: string
  readonly tls: ClientTlsPolicy
  /** `lecture`: HELO, a space after `FROM:` and `TO:`, no extension, no TLS, one command at a time. The Lab only. */
  readonly dialect: 'esmtp' | 'lecture'
  /** Default: `defaultSmtpClientLimits`. */
  readonly limits?: Partial<SmtpClientLimits>
  /**
   * Gets `tcp.open`, `tls.done`, and one `wire` event for each transaction (the first one begins with the greeting).
   * QUIT's lines wait in it until `quit` has closed them into a last `wire` event.
   */
  readonly recorder: Recorder
}

/** One open conversation, RFC 5321 §3; ready for MAIL. */
export interface SmtpClient {
  /** `address:port` of both ends. */
  readonly localName: string
  readonly remoteName: string
  /** Upper case, as offered by the last EHLO; '' for a keyword without parameters. Empty after HELO. */
  readonly extensions: ReadonlyMap<string, string>
  readonly tls: ClientTlsFacts | null
  /** False when the connection has ended, at any time by the remote, or may not be used again: open another one. */
  readonly usable: boolean
  /** Messages that the server has asked for (354) so far: the index of the next one in `Link`. */
  readonly transactions: number
  /**
   * One mail transaction. Every failure is an outcome of its recipients.
   *
   * @param recorder Takes the events of this transaction; default: the one of the options.
   * @throws {Error} Only for misuse: a second call before the first has ended, no recipients.
   */
  send(message: OutgoingMessage, recorder?: Recorder): Promise<SendResult>
  /** Says QUIT, waits a little for 221, closes. Never rejects; safe to call twice. */
  quit(): Promise<void>
  /** Closes without a word. */
  destroy(): void
}

/**
 * Connects, reads the greeting, says EHLO (or HELO), and puts TLS underneath when it is offered.
 *
 * @throws {SmtpFailure}
 */
export async function openSmtpClient(options: SmtpClientOptions): Promise<SmtpClient> {
  const limits = { ...defaultSmtpClientLimits, ...options.limits }
  const connection = await openConnection(options, limits)
  try {
    const opened = await openConversation(connection, options, limits)
    return new Client(connection, opened, options, limits)
  } catch (error) {
    const failure = lostFailure(error, 'hello')
    options.log.debug('smtp conversation not opened', { host: options.target.hostname, error: failure })
    if (connection.lost === null) await sayQuit(connection, limits)
    connection.destroy()
    options.recorder.closeWire('spoken', { phase: 'handshaking' })
    throw failure
  }
}

async function openConnection(options: SmtpClientOptions, limits: SmtpClientLimits): Promise<Connection> {
  const { target, dialler, clock, recorder } = options
  const { hostname, address, port } = target
  const startUs = clock.monotonicUs()
  const ms = (): number => Math.round((clock.monotonicUs() - startUs) / 1000)
  try {
    const socket = await dialler(target, limits.connectTimeoutMs)
    const connection = new Connection(socket, clock, recorder)
    const { localName: local, remoteName: remote } = connection
    recorder.event('connected', 'tcp.open', { ok: true, hostname, address, port, local, remote, ms: ms() })
    return connection
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : null
    const isOurs = error instanceof DialFailure && error.cause === undefined
    const why = isOurs && code === 'EACCES' ? 'a private address' : code
    recorder.event('connected', 'tcp.open', { ok: false, hostname, address, port, code, ms: ms() })
    const text = `Cannot connect to ${hostname} (${endpointName(address, port)})${why === null ? '' : `: ${why}`}`
    // RFC 3463 §3.5: 4.4.1, no answer from host.
    const facts = { kind: 'temporary', reason: 'unreachable', reply: null, status: '4.4.1' } as const
    throw new SmtpFailure(text, { stage: 'connect', ...facts }, { cause: error })
  }
}

class Client implements SmtpClient {
  readonly localName: string
  readonly remoteName: string
  readonly extensions: ReadonlyMap<string, string>
  readonly tls: ClientTlsFacts | null
  #transactions = 0
  #sends = 0
  #sending = false
  #needsReset = false
  #ended = false
  readonly #connection: Connection
  readonly #options: SmtpClientOptions
  readonly #limits: SmtpClientLimits

  constructor(
    connection: Connection,
    opened: { extensions: ReadonlyMap<string, string>; tls: ClientTlsFacts | null },
    options: SmtpClientOptions,
    limits: SmtpClientLimits,
  ) {
    this.#connection = connection
    this.#options = options
    this.#limits = limits
    this.localName = connection.localName
    this.remoteName = connection.remoteName
    this.extensions = opened.extensions
    this.tls = opened.tls
  }

  get usable(): boolean {
    return !this.#ended && this.#connection.lost === null
  }

  get transactions(): number {
    return this.#transactions
  }

  async send(message: OutgoingMessage, recorder = this.#options.recorder): Promise<SendResult> {
    if (this.#sending) throw new Error('Cannot send: the message before has not ended')
    if (message.recipients.length === 0) throw new Error('Cannot send: the message has no recipients')
    this.#sending = true
    const connection = this.#connection
    const link = { client: this.localName, server: this.remoteName, transaction: this.#transactions }
    if (this.#sends++ > 0 || recorder !== this.#options.recorder) this.#noteReuse(recorder)
    if (recorder !== connection.recorder)
      connection.recorder.closeWire('spoken', { ...link, phase: 'handshaking' })
    connection.recorder = recorder
    const { dialect, clock, log, target } = this.#options
    const cancel = clock.after(this.#limits.transactionTimeoutMs, () => {
      connection.destroy('The conversation took too long', 'timeout')
    })
    try {
      const { extensions } = this
      const secured = this.tls?.trusted === true
      const reset = { resetFirst: this.#needsReset, limits: this.#limits, secured }
      const transaction = new Transaction(message, { connection, extensions, dialect, ...reset })
      await transaction.run()
      this.#needsReset = transaction.needsReset
      if (transaction.reachedData) this.#transactions++
      const { failure } = transaction
      if (failure !== null)
        log.debug('smtp transaction broken off', { host: target.hostname, error: failure })
      const recipients = message.recipients.flatMap(({ forwardPath }) => {
        const outcome = transaction.outcomes.get(forwardPath)
        return outcome === undefined ? [] : [[forwardPath, outcome] as const]
      })
      return { recipients: new Map(recipients), link }
    } finally {
      cancel()
      recorder.closeWire('spoken', { ...link, phase: 'transfer' })
      this.#sending = false
    }
  }

  async quit(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    if (this.#connection.lost === null && !this.#sending) await sayQuit(this.#connection, this.#limits)
    const transaction = Math.max(0, this.#transactions - 1)
    const link = { client: this.localName, server: this.remoteName, transaction }
    this.#connection.recorder.closeWire('spoken', { ...link, phase: 'closure' })
    this.#connection.end()
  }

  destroy(): void {
    this.#ended = true
    this.#connection.destroy()
  }

  /** A later message's journey begins with a connection that was there already. */
  #noteReuse(recorder: Recorder): void {
    const { hostname, address, port } = this.#options.target
    const names = { hostname, address, port, local: this.localName, remote: this.remoteName }
    recorder.event('connected', 'tcp.open', { ok: true, ...names, ms: 0, reused: true })
    if (this.tls !== null) recorder.event('secured', 'tls.done', { ok: true, ...this.tls, reused: true })
  }
}

/** RFC 5321 §4.1.1.10: the client says QUIT and waits for 221; a server that does not care is not waited for long. */
async function sayQuit(connection: Connection, limits: SmtpClientLimits): Promise<void> {
  try {
    connection.send('QUIT')
    await connection.reply(limits.quitTimeoutMs, 'QUIT')
  } catch {
    // Nothing depends on it.
  }
}
