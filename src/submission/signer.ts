/**
 * What the door asks for to have a submitted message signed. `mailauth` makes signatures, the store has the keys; `daemon`
 * puts them together.
 */
export interface SignerSource {
  /** One message begins. */
  open(): MessageSigner
}

export interface MessageSigner {
  /** The message as it will go on (without Bcc), header first; any cut. */
  push(octets: Uint8Array): void
  /**
   * Signs with every active key of the author's domain.
   *
   * @param authorDomain Of the From field, A-labels.
   * @param fields Those that will stand directly above what was pushed, each with its CRLF, in order (Date, Message-ID).
   * @returns DKIM-Signature fields with their CRLF, to stand above `fields`; none when the domain has no key.
   */
  finish(authorDomain: string, fields: readonly string[]): Promise<readonly string[]>
}
