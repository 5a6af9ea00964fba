/**
 * Reads everything that is kept and says what is not as it should be. It changes nothing. The tables are looked at as one
 * moment has them; the bodies page by page, while whoever calls holds the files. Memory stays bounded: rows come in pages,
 * and of each body that has been seen one bit is kept.
 *
 * What is wrong never ends the check: a table that cannot be read costs the checks that need it, and says so.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { VerifyReport, WorkProgress } from '../../backup.ts'
import { BackupUnusable } from '../../errors.ts'
import { tablesFile } from '../backup/layout.ts'
import { lowerPriority } from '../lower-priority.ts'
import { snapshot } from '../backup/snapshot.ts'
import { openForWriting, Sql } from '../database.ts'
import { NumberSet } from '../housekeeping/number-set.ts'
import { migrate, newestVersion, versionOf } from '../migrate.ts'
import { segmentFile } from '../segment-name.ts'
import { checkAccounts } from './check-accounts.ts'
import { checkBackup } from './check-backup.ts'
import { checkBodies, checkBodyRows, type BodiesRead } from './check-bodies.ts'
import { checkEmails } from './check-emails.ts'
import { checkFiles } from './check-files.ts'
import { checkMailboxes } from './check-mailboxes.ts'
import { checkMessages } from './check-messages.ts'
import { checkQueue } from './check-queue.ts'
import { Findings } from './findings.ts'
import type { BodyPlaces } from './stored-body.ts'

export type VerifyTarget =
  /** The shard's folder. */
  | { readonly kind: 'store'; readonly folder: string }
  /** The folder of all backups, and which, as the person wrote it. */
  | { readonly kind: 'backup'; readonly folder: string; readonly at: string | null }

export interface VerifyData {
  readonly target: VerifyTarget
  /** Looks at tables, lengths and headers, and reads no body. */
  readonly quick: boolean
}

type Tell = (progress: WorkProgress) => void

/** @throws {BackupUnusable} There is nothing to verify, or it is of a newer program. */
export function verify({ target, quick }: VerifyData, progress: Tell): VerifyReport {
  const startedAt = performance.now()
  lowerPriority()
  const { tables, places, beforehand } = locate(target)
  if (!existsSync(tables)) throw new BackupUnusable(`There is no store: ${tables} is missing`)
  const opened = openAtNewest(tables)
  try {
    const findings = new Findings(opened.sql)
    beforehand(findings, quick, progress)
    const read = checkAll(opened.sql, findings, { target, places, quick, progress })
    const count = (table: string) => Number(attempt(opened.sql, `SELECT count(*) FROM ${table}`))
    return {
      ...{ ...findings.report, accounts: count('account'), messages: count('message') },
      ...{ ...read, tookMs: Math.round(performance.now() - startedAt) },
    }
  } finally {
    opened.close()
  }
}

interface Located {
  readonly tables: string
  readonly places: BodyPlaces
  /** What there is to check besides a store's own. */
  beforehand(findings: Findings, quick: boolean, progress: Tell): void
}

function locate(target: VerifyTarget): Located {
  if (target.kind === 'backup') return checkBackup(target.folder, target.at)
  const { folder } = target
  return {
    tables: join(folder, tablesFile),
    places: {
      segment: (segment) => segmentFile(folder, segment),
      big: (file) => join(folder, 'big', file),
    },
    beforehand: () => {},
  }
}

function attempt(sql: Sql, question: string): unknown {
  try {
    return sql.get(question)?.[0] ?? 0
  } catch {
    return 0
  }
}

function openReadOnly(file: string): Sql {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  db.exec('PRAGMA cache_size = -32000; PRAGMA mmap_size = 0; PRAGMA temp_store = FILE')
  return new Sql(db)
}

/** Tables of an older version are looked at as they will be: in a copy that has been brought to the newest. */
function openAtNewest(tables: string): { sql: Sql; close(): void } {
  let sql: Sql | null = null
  let version: number
  try {
    sql = openReadOnly(tables)
    version = versionOf(sql)
  } catch (error) {
    sql?.close()
    throw new BackupUnusable(`${tables} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  const opened = sql
  if (version === newestVersion()) return { sql: opened, close: () => opened.close() }
  opened.close()
  if (version > newestVersion() || version === 0) {
    throw new BackupUnusable(
      version === 0
        ? `${tables} holds no tables of Posthorn`
        : `${tables} has version ${version}, this program knows ${newestVersion()}: use a newer Posthorn`,
    )
  }
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-verify-'))
  const copy = join(folder, tablesFile)
  snapshot(tables, copy)
  const migrated = openForWriting(copy)
  migrate(migrated)
  return {
    sql: migrated,
    close: () => {
      migrated.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Checked {
  readonly target: VerifyTarget
  readonly places: BodyPlaces
  readonly quick: boolean
  readonly progress: Tell
}

function checkAll(sql: Sql, findings: Findings, { target, places, quick, progress }: Checked): BodiesRead {
  const step = (name: string, work: () => void) => {
    progress({ step: name, done: 0, total: 0, unit: 'rows' })
    try {
      work()
    } catch (error) {
      findings.add('tables', `The ${name} could not be checked: ${(error as Error).message}`)
    }
  }
  let owned: NumberSet | null = null
  sql.exec('BEGIN')
  try {
    step('tables', () => checkIntegrity(sql, findings, quick))
    step('accounts', () => checkAccounts(sql, findings))
    step('mailboxes', () => checkMailboxes(sql, findings))
    step('messages', () => checkMessages(sql, findings))
    step('emails', () => {
      owned = checkEmails(sql, findings, progress)
    })
    step('queue', () => checkQueue(sql, findings, owned ?? new NumberSet()))
    step('rows of bodies', () => {
      if (owned !== null) checkBodyRows(sql, findings, owned)
    })
    step('files', () => {
      if (target.kind === 'store') checkFiles(sql, findings, target.folder)
    })
  } finally {
    sql.exec('ROLLBACK')
  }
  let read: BodiesRead = { bodies: 0, octets: 0 }
  step('bodies', () => {
    read = checkBodies(sql, findings, places, quick, progress)
  })
  return read
}

/** SQLite's own: pages, order, indexes, values of the declared kind. */
function checkIntegrity(sql: Sql, findings: Findings, quick: boolean): void {
  const rows = sql.all<readonly [string]>(quick ? 'PRAGMA quick_check(100)' : 'PRAGMA integrity_check(100)')
  for (const [text] of rows) if (text !== 'ok') findings.add('tables', `The tables are damaged: ${text}`)
}
