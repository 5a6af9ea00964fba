/** A DMARC aggregate report, RFC 9990: ours before it is written, and those of others as they were read. */

export interface DmarcReport {
  readonly metadata: ReportMetadata
  readonly policy: PublishedPolicy
  readonly records: readonly DmarcRecord[]
  /** Records beyond `receivedReportRows`, or unreadable ones. 0 in what we write. */
  readonly recordsLeftOut: number
}

export interface ReportMetadata {
  readonly organisation: string
  readonly email: string
  readonly extraContactInfo: string | null
  readonly reportId: string
  /** Seconds since 1970, both inclusive. */
  readonly begin: number
  readonly end: number
  readonly errors: readonly string[]
  readonly generator: string | null
}

/** As written by whoever reported: what a tag may hold is theirs to say; null when it is absent. */
export interface PublishedPolicy {
  readonly domain: string
  readonly discoveryMethod: string | null
  readonly p: string
  readonly sp: string | null
  readonly np: string | null
  readonly adkim: string | null
  readonly aspf: string | null
  readonly fo: string | null
  readonly testing: string | null
  /** RFC 7489 only. */
  readonly pct: string | null
}

export interface DmarcRecord {
  readonly sourceAddress: string
  readonly count: number
  readonly disposition: string
  /** `pass` or `fail`, aligned. */
  readonly dkim: string
  readonly spf: string
  readonly reasons: readonly { readonly type: string; readonly comment: string | null }[]
  readonly headerFrom: string
  readonly envelopeFrom: string | null
  readonly envelopeTo: string | null
  readonly dkimResults: readonly {
    readonly domain: string
    readonly selector: string | null
    readonly result: string
    readonly humanResult: string | null
  }[]
  /** RFC 9990 has one at most, RFC 7489 several. */
  readonly spfResults: readonly {
    readonly domain: string
    readonly scope: string | null
    readonly result: string
    readonly humanResult: string | null
  }[]
}

/** RFC 9989: a message passes when one of the two passes and aligns. */
export function passes(record: Pick<DmarcRecord, 'dkim' | 'spf'>): boolean {
  return record.dkim === 'pass' || record.spf === 'pass'
}

export interface Counts {
  readonly messages: number
  readonly passed: number
}

export function countMessages(records: readonly DmarcRecord[]): Counts {
  let messages = 0
  let passed = 0
  for (const record of records) {
    messages += record.count
    if (passes(record)) passed += record.count
  }
  return { messages, passed }
}
