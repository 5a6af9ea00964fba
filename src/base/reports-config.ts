/** `[reports]`: what other domains are told of their mail and of TLS, and what they tell us. */
export interface ReportsConfig {
  /** Aggregate reports are gathered and sent. */
  readonly dmarc: boolean
  readonly tls: boolean
  /** Of the From field. Null: `dmarc-reports@` or postmaster@ of our first domain. */
  readonly from: string | null
  /** Null: that domain. */
  readonly organisation: string | null
  /** An address or a URL for people. */
  readonly contact: string | null
  /** Domains that get no report, A-labels. */
  readonly exclude: readonly string[]
  /** Our addresses whose mail is looked through for reports, besides those that our own records name. */
  readonly addresses: readonly string[]
}

export const defaultReports: ReportsConfig = {
  ...{ dmarc: true, tls: true, from: null, organisation: null, contact: null, exclude: [], addresses: [] },
}

/** Nothing is told; what comes is read. */
export const noReports: ReportsConfig = { ...defaultReports, dmarc: false, tls: false }
