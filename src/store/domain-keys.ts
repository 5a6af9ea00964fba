/** The keys that sign for a domain, RFC 6376. They are kept in the store, so that a backup has them. */

export interface DomainKey {
  readonly domain: string
  /** The label under `_domainkey`; unique in its domain. */
  readonly selector: string
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  /** PKCS #8, PEM. Never shown: not in journeys, logs or the admin API. */
  readonly privateKey: string
  readonly createdAt: number
  /** From here on it signs; until then it is only published, so that everybody can have seen it. */
  readonly activeFrom: number
  /** From here on it signs no more, though its record should stay for what is under way; null: not foreseen. */
  readonly retiredAt: number | null
}

export interface DomainKeyStore {
  /** @throws {DomainUnknown} @throws {NameTaken} The selector is in use. */
  addDomainKey(key: DomainKey): Promise<void>
  /** Oldest first. */
  listDomainKeys(domain: string): Promise<DomainKey[]>
  /** @returns False when there is none. */
  retireDomainKey(domain: string, selector: string, at: number): Promise<boolean>
  /** @returns False when there is none. */
  removeDomainKey(domain: string, selector: string): Promise<boolean>
}
