import { migrations } from '../migrations/all.ts'
import type { Sql } from './database.ts'

/**
 * Brings the tables to the newest version, each migration in a transaction of its own.
 *
 * @throws {Error} The folder was written by a newer Posthorn: an older one must not touch it.
 */
export function migrate(sql: Sql): void {
  sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)')
  const current = Number(sql.get('SELECT coalesce(max(version), 0) FROM schema_version')?.[0])
  const newest = migrations.at(-1)?.version ?? 0
  if (current > newest) {
    throw new Error(`Cannot open the store: its tables have version ${current}, this program knows ${newest}`)
  }
  for (const migration of migrations) {
    if (migration.version <= current) continue
    sql.exec('BEGIN IMMEDIATE')
    try {
      sql.exec(migration.sql)
      sql.run('INSERT INTO schema_version VALUES (?)', migration.version)
      sql.exec('COMMIT')
    } catch (error) {
      sql.exec('ROLLBACK')
      throw error
    }
  }
}
