import type { DmarcReport } from '../dmarc/report.ts'
import type { TlsReport } from '../tls/report.ts'

/** A report about a domain of ours, in a line. */
export interface ReportSummary {
  /** Ours; grows. */
  readonly id: number
  readonly kind: 'dmarc' | 'tls'
  readonly domain: string
  /** Who says so, in their own words. */
  readonly organisation: string
  readonly reportId: string
  /** Milliseconds since 1970. */
  readonly begin: number
  readonly end: number
  readonly receivedAt: number
  /** DMARC passed for the letter it came in. */
  readonly verified: boolean
  /** Messages, or sessions. */
  readonly total: number
  readonly passed: number
}

export type ReceivedReport = ReportSummary &
  (
    | { readonly kind: 'dmarc'; readonly report: DmarcReport }
    | { readonly kind: 'tls'; readonly report: TlsReport }
  )

export interface ReportQuery {
  /** Null: all. */
  readonly domain: string | null
  /** 1 to 1,000. */
  readonly limit: number
}

/** What is known of the letter that a report came in. */
export interface LetterFacts {
  readonly receivedAt: number
  /** DMARC passed. */
  readonly verified: boolean
  /** It is known that its author's domain did not sign it; absent: that is not known. */
  readonly unsigned?: boolean
}

export interface ReceivedReports {
  /**
   * Reads a message that may carry a report, and keeps the report. Off this thread; never rejects: what is none is logged.
   *
   * @param message Given away.
   */
  take(message: Uint8Array, facts: LetterFacts): Promise<void>
  /** The newest first. */
  list(query: ReportQuery): Promise<ReportSummary[]>
  /** A `ReceivedReport` as JSON: 10,000 rows as objects would take this thread tens of milliseconds. */
  find(id: number): Promise<string | null>
  close(): Promise<void>
}
