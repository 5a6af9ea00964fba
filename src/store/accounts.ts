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
  readonly quotaMessages: number | null
}

/** What an account may hold; null: no bound. One message may go over it. */
export interface Quota {
  readonly octets: number | null
  readonly messages: number | null
}

/** Nothing more is taken for it: 452 at RCPT, OverQuota to its user. */
export function isFull(
  account: Pick<Account, 'quotaOctets' | 'quotaMessages' | 'usedOctets' | 'usedMessages'>,
): boolean {
  const { quotaOctets, quotaMessages, usedOctets, usedMessages } = account
  return (
    (quotaOctets !== null && usedOctets >= quotaOctets) ||
    (quotaMessages !== null && usedMessages >= quotaMessages)
  )
}

/** An account that was removed not long ago, with all its mail. */
export interface RemovedAccount {
  readonly accountId: number
  readonly address: string
  readonly removedAt: number
  readonly usedOctets: number
  readonly usedMessages: number
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

/**
 * Local parts to which reports about a domain come, RFC 9990 and RFC 8460. As long as they are nobody's, what comes to
 * them goes where postmaster@ does.
 */
export const reportNames: readonly string[] = ['dmarc-reports', 'tls-reports']

/** Whatever form addresses and domains are handed in, they are kept, compared and told as `normaliseAddress` makes them. */
export interface AccountStore {
  /** Also makes postmaster@, abuse@ (RFC 5321 §4.5.1) and `reportNames` deliverable once there is an account. @throws {NameTaken} */
  addDomain(domain: string): Promise<void>
  /** @throws {DomainUnknown} @throws {DomainInUse} */
  removeDomain(domain: string): Promise<void>
  listDomains(): Promise<string[]>

  /** Makes INBOX, Drafts, Sent, Junk, Trash and Archive too. @throws {DomainUnknown} @throws {NameTaken} */
  addAccount(address: string, passwordHash: string | null): Promise<Account>
  /** Many at once, in one transaction. @throws {DomainUnknown} @throws {NameTaken} */
  addAccounts(accounts: readonly { address: string; passwordHash: string | null }[]): Promise<Account[]>
  /** The account and all its mail; `restoreAccount` brings it back for `limits.undeleteMs`. @throws {AccountUnknown} */
  removeAccount(address: string): Promise<void>
  /** Those that can be brought back, the newest first. */
  listRemovedAccounts(): Promise<RemovedAccount[]>
  /**
   * Brings back the account of that name that was removed last, as it was: password, mailboxes, UIDs.
   *
   * @throws {AccountUnknown} None was removed, or its time is over. @throws {NameTaken} @throws {DomainUnknown}
   */
  restoreAccount(address: string): Promise<Account>
  /** @throws {AccountUnknown} */
  setQuota(address: string, quota: Quota): Promise<void>
  setPassword(address: string, passwordHash: string): Promise<void>
  findAccount(address: string): Promise<Account | null>
  getAccount(accountId: number): Promise<Account | null>
  listAccounts(): Promise<Account[]>

  /** @throws {DomainUnknown} @throws {NameTaken} @throws {LimitReached} More members than `limits.recipients`. */
  addAlias(address: string, targets: readonly string[]): Promise<void>
  removeAlias(address: string): Promise<void>
  listAliases(): Promise<Alias[]>

  /** At once where that needs no waiting. Of an account without a quota, what it holds may be as it was once. */
  resolveAddress(address: string): AddressMeaning | Promise<AddressMeaning>
}
