/** Bounds on what is reported about others and what others report about us; part of `Limits`. */
export interface ReportLimits {
  /** Different rows of one domain that are gathered in a day; what comes beyond is counted and not shown. */
  readonly reportRowsPerDomain: number
  /** The same over all domains. */
  readonly reportRows: number
  /** Octets of a report that we send, compressed and encoded for mail; rows are left out until it fits. */
  readonly reportOctets: number
  /** Places that one domain has its reports sent to. */
  readonly reportDestinations: number
  /** DMARC reports that addresses of one domain get in one night; who publishes many domains could have it flooded. */
  readonly reportsPerDestination: number
  /** Octets of a message that is looked through for a report. */
  readonly receivedReportOctets: number
  /** Octets of a received report once it has been decompressed. */
  readonly receivedReportTextOctets: number
  /** Rows of a received report that are kept; what is beyond is counted and not shown. */
  readonly receivedReportRows: number
  /** Received reports that are kept, the newest ones. */
  readonly receivedReports: number
  /** Octets of the file they are kept in; the oldest go beyond. */
  readonly receivedReportsOctets: number
  /** How long. */
  readonly receivedReportsMs: number
}

export const defaultReportLimits: ReportLimits = {
  reportRowsPerDomain: 5_000,
  reportRows: 50_000,
  reportOctets: 10_000_000,
  reportDestinations: 5,
  reportsPerDestination: 1_000,
  receivedReportOctets: 20_000_000,
  receivedReportTextOctets: 20_000_000,
  receivedReportRows: 10_000,
  receivedReports: 50_000,
  receivedReportsOctets: 268_435_456,
  receivedReportsMs: 365 * 24 * 60 * 60_000,
}
