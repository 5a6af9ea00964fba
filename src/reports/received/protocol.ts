import type { ReportLimits } from '../../base/report-limits.ts'
import type { LetterFacts, ReportQuery, ReportSummary } from './received-reports.ts'

export interface ReportsThreadData {
  readonly folder: string
  readonly limits: ReportLimits
}

export type ReportsRequest =
  | ({ readonly kind: 'take'; readonly message: Uint8Array } & LetterFacts)
  | { readonly kind: 'list'; readonly query: ReportQuery }
  | { readonly kind: 'find'; readonly reportNumber: number }
  | { readonly kind: 'close' }

export interface ReportsReply {
  readonly id: number
  /** Of a message that was taken: the report's number, or why there is none. */
  readonly taken?: number
  readonly passedOver?: string
  readonly summaries?: readonly ReportSummary[]
  /** As JSON. */
  readonly report?: string | null
  readonly error?: string
}
