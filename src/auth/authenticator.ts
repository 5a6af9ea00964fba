import type { Account } from '../store/accounts.ts'

export interface LoginAttempt {
  /** As the person wrote it; without a domain the door's own domain is meant. */
  readonly login: string
  readonly password: string
  /** '' or the same address as `login`; acting for somebody else is refused. */
  readonly authorisationId: string
  /**
   * Addresses of accounts that a verified client certificate stands for; then `authorisationId` is one of them or '' for
   * the first, and login and password mean nothing. Absent: the password decides.
   */
  readonly certified?: readonly string[]
  readonly remoteAddress: string
  readonly protocol: 'smtp' | 'imap' | 'pop3' | 'jmap' | 'admin'
}

export type LoginResult =
  | { readonly kind: 'ok'; readonly account: Account }
  /** Unknown user and wrong password look and take the same. */
  | { readonly kind: 'refused' }
  /** Too many log-ins wait, or the store cannot be asked: try again later. */
  | { readonly kind: 'unavailable' }

/** May this person log in? */
export interface Authenticator {
  verify(attempt: LoginAttempt, defaultDomain: string): Promise<LoginResult>
}
