/** The file of received reports. Worker thread only. Losing it loses no mail: each report is a letter, too. */
import { DatabaseSync } from 'node:sqlite'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { ReportLimits } from '../../base/report-limits.ts'
import { Sql } from '../../store/sqlite/database.ts'
import { countMessages } from '../dmarc/report.ts'
import type { AnyReport } from './find-report.ts'
import type { ReportQuery, ReportSummary } from './received-reports.ts'

const version = 1
/** Rows that go in one transaction. */
const deletedAtOnce = 500
const pageOctets = 4_096
/** Of the bound on its octets: what a full file is brought down to, so that not every report makes room again. */
const roomKept = 0.95

type Share = 'count(*)' | 'sum(length(content))'

const tables = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS report (
    report INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    domain TEXT NOT NULL,
    organisation TEXT NOT NULL,
    report_id TEXT NOT NULL,
    begin_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    total INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    content BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS report_once ON report (kind, domain, organisation, report_id);
  CREATE INDEX IF NOT EXISTS report_received ON report (received_at);
  CREATE INDEX IF NOT EXISTS report_verified ON report (verified);
  PRAGMA user_version = ${version};
`

const columns =
  'report, kind, domain, organisation, report_id, begin_at, end_at, received_at, verified, total, passed'
type Columns = readonly [number, 'dmarc' | 'tls', string, string, string, ...number[]]

export type ArchiveLimits = Pick<
  ReportLimits,
  'receivedReports' | 'receivedReportsMs' | 'receivedReportsOctets'
>

export class ReportArchive {
  readonly #sql: Sql
  readonly #limits: ArchiveLimits

  /** @throws {Error} The file is damaged, or of another version. */
  constructor(file: string, limits: ArchiveLimits) {
    const db = new DatabaseSync(file, { timeout: 1_000 })
    this.#sql = new Sql(db)
    this.#limits = limits
    try {
      db.exec(`PRAGMA page_size = ${pageOctets}`)
      const found = Number(this.#sql.get('PRAGMA user_version')?.[0])
      if (found !== 0 && found !== version) throw new Error(`file is not a database of ours: ${found}`)
      db.exec(tables)
    } catch (error) {
      db.close()
      throw error
    }
  }

  /**
   * RFC 9990: a report that came twice is kept once. One whose sender was proven replaces one whose was not, so that
   * nobody can keep a report out by sending a false one first.
   *
   * @returns Its number; null when it is there already.
   */
  keep(
    found: AnyReport,
    { receivedAt, verified }: { readonly receivedAt: number; readonly verified: boolean },
  ) {
    const facts = factsOf(found)
    const key = [found.kind, facts.domain, facts.organisation, facts.reportId] as const
    this.#sql.run(
      'DELETE FROM report WHERE kind = ? AND domain = ? AND organisation = ? AND report_id = ? AND verified < ?',
      ...[...key, verified ? 1 : 0],
    )
    const row = this.#sql.get<readonly [number]>(
      `INSERT INTO report VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (kind, domain, organisation, report_id) DO NOTHING RETURNING report`,
      ...[...key, facts.begin, facts.end, receivedAt, verified ? 1 : 0, facts.total, facts.passed],
      zstdCompressSync(JSON.stringify(found.report)),
    )
    this.#makeRoom(receivedAt)
    return row === undefined ? null : row[0]
  }

  /** The newest first. */
  list({ domain, limit }: ReportQuery): ReportSummary[] {
    const rows = this.#sql.all<Columns>(
      `SELECT ${columns} FROM report WHERE (? IS NULL OR domain = ?) ORDER BY report DESC LIMIT ?`,
      ...[domain, domain, Math.min(Math.max(limit, 1), 1_000)],
    )
    return rows.map(summaryOf)
  }

  /** @returns A `ReceivedReport` as JSON. */
  find(id: number): string | null {
    const row = this.#sql.get<readonly [...Columns, Uint8Array]>(
      `SELECT ${columns}, content FROM report WHERE report = ?`,
      id,
    )
    if (row === undefined) return null
    const summary = JSON.stringify(summaryOf(row as unknown as Columns))
    return `${summary.slice(0, -1)},"report":${zstdDecompressSync(row.at(-1) as Uint8Array).toString()}}`
  }

  close(): void {
    this.#sql.close()
  }

  #makeRoom(now: number): void {
    const { receivedReports, receivedReportsMs, receivedReportsOctets } = this.#limits
    this.#sql.run(
      'DELETE FROM report WHERE report IN (SELECT report FROM report WHERE received_at < ? LIMIT ?)',
      ...[now - receivedReportsMs, deletedAtOnce],
    )
    const many = this.#measure('count(*)') - receivedReports
    if (many > 0) this.#dropOldest('count(*)', Math.min(many, deletedAtOnce))
    // The newest stays, whatever its size.
    if (this.#octets() > receivedReportsOctets)
      while (this.#octets() > receivedReportsOctets * roomKept)
        if (this.#dropOldest('sum(length(content))', 10) === 0) break
    this.#sql.exec('PRAGMA incremental_vacuum(200)')
  }

  /**
   * Those whose sender is not proven go first while they are more than half of all: anybody can send them, and would drive
   * out what is true.
   */
  #dropOldest(share: Share, limit: number): number {
    const drop = (where: string): number =>
      this.#sql.run(
        `DELETE FROM report WHERE report IN (SELECT report FROM report ${where} ORDER BY report LIMIT ?)
          AND report < (SELECT max(report) FROM report)`,
        limit,
      )
    const flooded = this.#measure(share, 'WHERE verified = 0') > this.#measure(share) / 2
    return (flooded ? drop('WHERE verified = 0') : 0) || drop('')
  }

  #measure(share: Share, where = ''): number {
    return Number(this.#sql.get(`SELECT ${share} FROM report ${where}`)?.[0])
  }

  /** Of pages in use. */
  #octets(): number {
    const of = (name: string): number => Number(this.#sql.get(`PRAGMA ${name}`)?.[0])
    return (of('page_count') - of('freelist_count')) * pageOctets
  }
}

function factsOf(found: AnyReport) {
  if (found.kind === 'dmarc') {
    const { metadata, policy, records } = found.report
    const { messages: total, passed } = countMessages(records)
    const { organisation, reportId } = metadata
    const [begin, end] = [metadata.begin * 1000, metadata.end * 1000]
    return { domain: policy.domain, organisation, reportId, begin, end, total, passed }
  }
  const { organisation, reportId, begin, end, policies } = found.report
  const passed = policies.reduce((sum, { succeeded }) => sum + succeeded, 0)
  const total = policies.reduce((sum, { failed }) => sum + failed, passed)
  return { domain: policies[0]!.domain, organisation, reportId, begin, end, total, passed }
}

function summaryOf(row: Columns): ReportSummary {
  const [id, kind, domain, organisation, reportId, ...numbers] = row
  const [begin = 0, end = 0, receivedAt = 0, verified = 0, total = 0, passed = 0] = numbers
  const said = { domain, organisation, reportId, begin, end }
  return { id, kind, ...said, receivedAt, verified: verified === 1, total, passed }
}
