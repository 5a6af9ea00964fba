/** Reads DMARC records, RFC 9989: what is wrong in one is passed over, but for its first tag. */
import { trimFws } from '../tag-list.ts'

export type Policy = 'none' | 'quarantine' | 'reject'

export interface DmarcRecord {
  /** As published, at most `recordCharsMax`. */
  readonly text: string
  /** Null when it is absent, or no policy. */
  readonly p: Policy | null
  readonly sp: Policy | null
  readonly np: Policy | null
  readonly strictDkim: boolean
  readonly strictSpf: boolean
  readonly psd: 'y' | 'n' | 'u'
  /** t=y: the domain asks not to have its policy applied yet. */
  readonly testing: boolean
  /** p= is absent or no policy, or sp= or np= is none; and whether somebody can be told, which makes it p=none. §4.10.1 */
  readonly badPolicy: boolean
  readonly hasReportAddress: boolean
}

const recordCharsMax = 4_096

/** dmarc-version = "v" equals %s"DMARC1" ; RFC 9989 §4.8: the value is case sensitive, and it is the first tag */
export function isDmarcRecord(text: string): boolean {
  return /^[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text)
}

/** @param text Of which `isDmarcRecord` holds. What follows `recordCharsMax` is not read. */
export function parseDmarcRecord(text: string): DmarcRecord {
  const tags = new Map<string, string>()
  for (const part of text.slice(0, recordCharsMax).split(';')) {
    const equals = part.indexOf('=')
    if (equals < 0) continue
    const name = trimFws(part.slice(0, equals)).toLowerCase()
    if (!tags.has(name)) tags.set(name, trimFws(part.slice(equals + 1)))
  }
  const policies = {
    p: readPolicy(tags.get('p')),
    sp: readPolicy(tags.get('sp')),
    np: readPolicy(tags.get('np')),
  }
  const lower = (name: string): string => (tags.get(name) ?? '').toLowerCase()
  const psd = lower('psd')
  return {
    text: text.slice(0, recordCharsMax),
    p: policies.p ?? null,
    sp: policies.sp ?? null,
    np: policies.np ?? null,
    strictDkim: lower('adkim') === 's',
    strictSpf: lower('aspf') === 's',
    psd: psd === 'y' || psd === 'n' ? psd : 'u',
    testing: lower('t') === 'y',
    badPolicy: policies.p === null || Object.values(policies).includes(undefined),
    hasReportAddress: /(?:^|,)[ \t]*[a-z][a-z0-9+.-]*:[^ ,]+/i.test(tags.get('rua') ?? ''),
  }
}

/** @returns Null: absent; undefined: there, and no policy. */
function readPolicy(value: string | undefined): Policy | null | undefined {
  if (value === undefined) return null
  const lower = value.toLowerCase()
  return lower === 'none' || lower === 'quarantine' || lower === 'reject' ? lower : undefined
}
