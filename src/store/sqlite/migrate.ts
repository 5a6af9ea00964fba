import { migrations } from '../migrations/all.ts'
import type { Sql } from './database.ts'

export interface Migration {
  readonly version: number
  readonly sql: string
}

/** What this program's tables look like. */
export function newestVersion(known: readonly Migration[] = migrations): number {
  return known.at(-1)?.version ?? 0
}

/** @returns 0 when there are no tables yet. */
export function versionOf(sql: Sql): number {
  const there = sql.get("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'")
  if (there === undefined) return 0
  return Number(sql.get('SELECT coalesce(max(version), 0) FROM schema_version')?.[0])
}

/**
 * Brings the tables to the newest version, all migrations in one transaction: when one fails, the program that wrote the
 * folder can still open it.
 *
 * @param known In their order; a test gives others.
 * @throws {Error} The folder was written by a newer Posthorn: an older one must not touch it. Or a migration failed.
 */
export function migrate(sql: Sql, known: readonly Migration[] = migrations): void {
  const current = versionOf(sql)
  const newest = newestVersion(known)
  if (current > newest) {
    throw new Error(`Cannot open the store: its tables have version ${current}, this program knows ${newest}`)
  }
  if (current === newest) return
  sql.exec('BEGIN IMMEDIATE')
  try {
    sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)')
    for (const migration of known) {
      if (migration.version <= current) continue
      sql.exec(migration.sql)
      sql.run('INSERT INTO schema_version VALUES (?)', migration.version)
    }
    sql.exec('COMMIT')
  } catch (error) {
    if (sql.db.isTransaction) sql.exec('ROLLBACK')
    throw error
  }
}
