/** The client as the commands see it: octets out, lines in. connection.ts has a socket behind it, a test an array. */
export interface Dialogue {
  readonly remoteAddress: string
  /** `address:port` of both ends. */
  readonly remoteName: string
  readonly localName: string
  /** TLS is up. */
  readonly secure: boolean
  /** Addresses of the accounts that the client's certificate stands for; none without one. */
  readonly certified: readonly string[]
  /** The connection has ended; what is written goes nowhere. */
  readonly closed: boolean
  /** Counts the connection for this account. @returns False: the account has as many as it may have. */
  enter(accountId: number): boolean
  /** The session is over: whoever reads our farewell may log in again at once. */
  leave(): void
  /** @param data A string has one char per octet. Octets are not copied and must not change afterwards. */
  write(data: string | Uint8Array): void
  /** Lets other sessions have their turn, and resolves when the client has taken enough of what was written. */
  breathe(): Promise<void>
  /** The next line that is no command: an answer to `+`. Null when the client has gone or sent no such line. */
  readLine(maxOctets: number): Promise<string | null>
}
