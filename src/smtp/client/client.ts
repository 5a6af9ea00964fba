import type { Clock } from '../../base/clock.ts'
import type { Dialler, Target } from '../../base/dialler.ts'
import type { Log } from '../../base/log.ts'
import type { Recorder } from '../../journey/recorder.ts'
import type { OutgoingMessage, SendResult } from './message.ts'
import type { SmtpClientLimits } from './timeouts.ts'

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
  /** False when the connection ended or may not be used again: open another one. */
  readonly usable: boolean
  /** When `usable` may become false by itself: the remote has hung up. */
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

export interface ClientTlsFacts {
  readonly version: string
  readonly cipher: string
  /** The name asked for and compared. */
  readonly serverName: string
  /** subjectAltName, `DNS:` and `IP:` without their prefix; the common name when there are none. */
  readonly names: readonly string[]
  readonly issuer: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** SHA-256 of the certificate, hex in lower case. */
  readonly fingerprint: string
  readonly trusted: boolean
  /** Why not, in words; null when trusted. */
  readonly reason: string | null
}

/**
 * Connects, reads the greeting, says EHLO (or HELO), and puts TLS underneath when it is offered.
 *
 * @throws {SmtpFailure}
 */
export function openSmtpClient(_options: SmtpClientOptions): Promise<SmtpClient> {
  throw new Error('Not built yet')
}
