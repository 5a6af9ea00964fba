/** How long each step of a conversation may take, RFC 5321 §4.5.3.2. */
export interface SmtpClientLimits {
  /** TCP, RFC 5321 does not say; shorter than the system's so that the next address gets its turn. */
  readonly connectTimeoutMs: number
  /** RFC 5321 §4.5.3.2.1. */
  readonly greetingTimeoutMs: number
  readonly helloTimeoutMs: number
  /** The reply to STARTTLS, then the handshake. */
  readonly tlsTimeoutMs: number
  /** RFC 5321 §4.5.3.2.2. */
  readonly mailTimeoutMs: number
  /** RFC 5321 §4.5.3.2.3. */
  readonly rcptTimeoutMs: number
  /** RFC 5321 §4.5.3.2.4. */
  readonly dataTimeoutMs: number
  /** RFC 5321 §4.5.3.2.5: for each block that is handed to TCP. */
  readonly blockTimeoutMs: number
  /** RFC 5321 §4.5.3.2.6. */
  readonly endOfDataTimeoutMs: number
  /**
   * A whole transaction. RFC 5321 §4.5.3.2 asks for time-outs per command; this bounds a server that makes the most of
   * each of them, and lets 50 MB through at 60 kbit/s.
   */
  readonly transactionTimeoutMs: number
  /** Nothing is lost any more: QUIT gets little. */
  readonly quitTimeoutMs: number
}

const minute = 60_000

export const defaultSmtpClientLimits: SmtpClientLimits = {
  connectTimeoutMs: 30_000,
  greetingTimeoutMs: 5 * minute,
  helloTimeoutMs: 5 * minute,
  tlsTimeoutMs: minute,
  mailTimeoutMs: 5 * minute,
  rcptTimeoutMs: 5 * minute,
  dataTimeoutMs: 2 * minute,
  blockTimeoutMs: 3 * minute,
  endOfDataTimeoutMs: 10 * minute,
  transactionTimeoutMs: 120 * minute,
  quitTimeoutMs: 5_000,
}
