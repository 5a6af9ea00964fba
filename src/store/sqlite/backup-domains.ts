import { keptDomain } from '../address.ts'
import type { BackupDomain, BackupDomainStore } from '../backup-domains.ts'
import { NameTaken } from '../errors.ts'
import type { Row, Sql } from './database.ts'
import type { Transaction } from './transaction.ts'
import type { WriterClient } from './writer-client.ts'

export function addBackupDomain(tx: Transaction, call: BackupDomain): void {
  const domain = keptDomain(call.domain)
  if (tx.get('SELECT 1 FROM domain WHERE domain = ?', domain) !== undefined) throw new NameTaken(domain)
  if (tx.run('INSERT OR IGNORE INTO backup_domain VALUES (?, ?)', domain, call.primary) === 0)
    throw new NameTaken(domain)
}

export function removeBackupDomain(tx: Transaction, call: { readonly domain: string }): boolean {
  return tx.run('DELETE FROM backup_domain WHERE domain = ?', keptDomain(call.domain)) > 0
}

export function openBackupDomains(sql: Sql, writer: Pick<WriterClient, 'ask'>): BackupDomainStore {
  return {
    async add(backup) {
      await writer.ask('addBackupDomain', backup)
    },
    remove: (domain) => writer.ask('removeBackupDomain', { domain }),
    async list() {
      return sql.all('SELECT domain, primary_host FROM backup_domain ORDER BY domain').map(backupOf)
    },
    async find(domain) {
      const row = sql.get(
        'SELECT domain, primary_host FROM backup_domain WHERE domain = ?',
        keptDomain(domain),
      )
      return row === undefined ? null : backupOf(row)
    },
  }
}

function backupOf(row: Row): BackupDomain {
  return { domain: row[0] as string, primary: row[1] as string | null }
}
