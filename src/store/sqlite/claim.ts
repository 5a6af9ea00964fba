import { DomainUnknown, NameTaken } from '../errors.ts'
import type { Transaction } from './transaction.ts'

/** Takes an address for an account or an alias. @throws {DomainUnknown} @throws {NameTaken} */
export function claim(
  tx: Transaction,
  address: string,
  accountId: number | null,
  targets: readonly string[] | null,
): void {
  const domain = address.slice(address.lastIndexOf('@') + 1)
  if (tx.get('SELECT 1 FROM domain WHERE domain = ?', domain) === undefined) throw new DomainUnknown(domain)
  const claimed = tx.run(
    'INSERT OR IGNORE INTO address VALUES (?, ?, ?, ?)',
    address,
    domain,
    accountId,
    targets === null ? null : JSON.stringify(targets),
  )
  if (claimed === 0) throw new NameTaken(address)
}
