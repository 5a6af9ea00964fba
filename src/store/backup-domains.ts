/** Domains of others that this server is a backup MX for: their mail is taken, kept in the queue, and passed on. */
export interface BackupDomain {
  /** A-labels, lower case. */
  readonly domain: string
  /** The host it is passed on to, A-labels; null: those of its MX that are preferred over us, RFC 5321 §5.1. */
  readonly primary: string | null
}

export interface BackupDomainStore {
  /** @throws {NameTaken} It is one already, or one of our own. */
  add(backup: BackupDomain): Promise<void>
  /** @returns False when there is none. */
  remove(domain: string): Promise<boolean>
  list(): Promise<BackupDomain[]>
  /** Null: we are not its backup. */
  find(domain: string): Promise<BackupDomain | null>
}
