import { isDmarcRecord, parseDmarcRecord } from '../../mailauth/dmarc/record.ts'
import { trimFws } from '../../mailauth/tag-list.ts'
import type { ObservedPolicy } from './observation.ts'

export interface ReportedRecord {
  readonly policy: ObservedPolicy
  /** Null: nobody wants a report. */
  readonly rua: string | null
}

/**
 * What an aggregate report says of a DMARC record: what mail was judged by, and the tags that only reports care for.
 *
 * @param domain Where it was found.
 */
export function readReportedRecord(domain: string, text: string): ReportedRecord {
  const record = parseDmarcRecord(text)
  const pct = tagOf(text, 'pct')
  return {
    policy: {
      domain,
      // RFC 9989: a record without a policy that can be read, and with an address for reports, asks for none.
      p: record.p ?? 'none',
      sp: record.sp,
      np: record.np,
      adkim: record.strictDkim ? 's' : 'r',
      aspf: record.strictSpf ? 's' : 'r',
      pct: pct !== null && /^\d{1,3}$/.test(pct) ? Math.min(Number(pct), 100) : null,
      testing: record.testing,
      fo: tagOf(text, 'fo')?.slice(0, 40) ?? null,
      discoveryMethod: 'treewalk',
    },
    rua: tagOf(text, 'rua'),
  }
}

/** Of a record of `v=DMARC1`; null: it has no such tag, or an empty one. */
export function tagOf(text: string, tag: string): string | null {
  for (const part of text.split(';')) {
    const equals = part.indexOf('=')
    if (equals < 0 || trimFws(part.slice(0, equals)).toLowerCase() !== tag) continue
    return trimFws(part.slice(equals + 1)) || null
  }
  return null
}

export { isDmarcRecord }
