/**
 * A SASL mechanism on the server's side, RFC 4422, as an exchange of messages: no sockets, no accounts. The door feeds it
 * decoded client messages until it yields credentials to be judged by `auth/`.
 */
export type SaslStep =
  /** Send this challenge (raw octets, one char each) and call `next` with the answer. */
  | { readonly kind: 'challenge'; readonly challenge: string }
  | { readonly kind: 'credentials'; readonly credentials: Credentials }
  | { readonly kind: 'malformed'; readonly reason: string }

export interface Credentials {
  /** Whom to act as; '' for oneself. */
  readonly authorisationId: string
  readonly login: string
  readonly password: string
  /**
   * Addresses of the accounts that somebody else has vouched for, a client certificate say (EXTERNAL); then login and
   * password are '' and mean nothing.
   */
  readonly certified?: readonly string[]
}

export interface SaslExchange {
  /** @param initial The initial response, one char per octet; null when the client sent none. */
  begin(initial: string | null): SaslStep
  next(response: string): SaslStep
}

export interface SaslMechanism {
  readonly name: string
  start(): SaslExchange
}
