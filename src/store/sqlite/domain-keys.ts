/** The keys that sign for our domains. */
import { keptDomain } from '../address.ts'
import type { DomainKey } from '../domain-keys.ts'
import { DomainUnknown, NameTaken } from '../errors.ts'
import type { Sql } from './database.ts'
import type { Transaction } from './transaction.ts'

export function addDomainKey(tx: Transaction, key: DomainKey): void {
  const domain = keptDomain(key.domain)
  const selector = key.selector.toLowerCase()
  if (tx.get('SELECT 1 FROM domain WHERE domain = ?', domain) === undefined) throw new DomainUnknown(domain)
  const added = tx.run(
    'INSERT OR IGNORE INTO domain_key VALUES (?, ?, ?, ?, ?, ?, ?)',
    domain,
    selector,
    key.algorithm,
    key.privateKey,
    key.createdAt,
    key.activeFrom,
    key.retiredAt,
  )
  if (added === 0) throw new NameTaken(`${selector}._domainkey.${domain}`)
}

interface Named {
  readonly domain: string
  readonly selector: string
}

export function retireDomainKey(tx: Transaction, call: Named & { readonly at: number }): boolean {
  return (
    tx.run(
      'UPDATE domain_key SET retired_at = ? WHERE domain = ? AND selector = ?',
      call.at,
      keptDomain(call.domain),
      call.selector.toLowerCase(),
    ) > 0
  )
}

export function removeDomainKey(tx: Transaction, call: Named): boolean {
  return (
    tx.run(
      'DELETE FROM domain_key WHERE domain = ? AND selector = ?',
      keptDomain(call.domain),
      call.selector.toLowerCase(),
    ) > 0
  )
}

export function listDomainKeys(sql: Sql, domain: string): DomainKey[] {
  return sql
    .all(
      `SELECT domain, selector, algorithm, private_key, created_at, active_from, retired_at FROM domain_key
        WHERE domain = ? ORDER BY created_at, selector`,
      keptDomain(domain),
    )
    .map((row) => ({
      domain: row[0] as string,
      selector: row[1] as string,
      algorithm: row[2] as DomainKey['algorithm'],
      privateKey: row[3] as string,
      createdAt: row[4] as number,
      activeFrom: row[5] as number,
      retiredAt: row[6] as number | null,
    }))
}
