/** A TLS report, RFC 8460: ours before it is written, and those of others as they were read. */

export interface TlsReport {
  readonly organisation: string
  readonly contact: string
  readonly reportId: string
  /** Milliseconds since 1970. */
  readonly begin: number
  readonly end: number
  readonly policies: readonly TlsPolicyReport[]
  /** Failure details beyond the bound. 0 in what we write. */
  readonly detailsLeftOut: number
}

export interface TlsPolicyReport {
  readonly type: string
  readonly domain: string
  readonly strings: readonly string[]
  readonly mxHosts: readonly string[]
  readonly succeeded: number
  readonly failed: number
  readonly failures: readonly TlsFailure[]
}

export interface TlsFailure {
  readonly type: string
  readonly count: number
  readonly sendingAddress: string | null
  readonly mxHost: string | null
  readonly mxHelo: string | null
  readonly receivingAddress: string | null
  readonly reason: string | null
  readonly more: string | null
}
