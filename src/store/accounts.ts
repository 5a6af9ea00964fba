export interface Account {
  readonly accountId: number
  /** `local-part@domain`, lower case, domain in A-labels. */
  readonly address: string
  /** PHC string, or null for an account nobody can log in to. */
  readonly passwordHash: string | null
  readonly usedOctets: number
  readonly usedMessages: number
  /** Null: no bound. */
  readonly quotaOctets: number | null
}

export interface Alias {
  readonly address: string
  /** Addresses here or elsewhere. */
  readonly targets: readonly string[]
}

/** What an address of ours leads to, one step. */
export type AddressMeaning =
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'alias'; readonly targets: readonly string[] }
  /** The domain is ours, the local part is not known. */
  | { readonly kind: 'unknown' }
  /** The domain is not ours. */
  | { readonly kind: 'remote' }

/** Addresses are compared in lower case; who calls has normalised them with `normaliseAddress`. */
export interface AccountStore {
  /** Also makes postmaster@ and abuse@ deliverable (RFC 5321 §4.5.1) once there is an account. @throws {NameTaken} */
  addDomain(domain: string): Promise<void>
  /** @throws {DomainUnknown} @throws {DomainInUse} */
  removeDomain(domain: string): Promise<void>
  listDomains(): Promise<string[]>

  /** Makes INBOX, Drafts, Sent, Junk, Trash and Archive too. @throws {DomainUnknown} @throws {NameTaken} */
  addAccount(address: string, passwordHash: string | null): Promise<Account>
  /** Many at once, in one transaction. @throws {DomainUnknown} @throws {NameTaken} */
  addAccounts(accounts: readonly { address: string; passwordHash: string | null }[]): Promise<Account[]>
  /** The account and all its mail. @throws {AccountUnknown} */
  removeAccount(address: string): Promise<void>
  setPassword(address: string, passwordHash: string): Promise<void>
  findAccount(address: string): Promise<Account | null>
  getAccount(accountId: number): Promise<Account | null>
  listAccounts(): Promise<Account[]>

  /** @throws {DomainUnknown} @throws {NameTaken} */
  addAlias(address: string, targets: readonly string[]): Promise<void>
  removeAlias(address: string): Promise<void>
  listAliases(): Promise<Alias[]>

  resolveAddress(address: string): Promise<AddressMeaning>
}
