/** Compares what should stand in DNS for a domain with what stands there. */
import type { MxRecord, Resolver } from '../dns/resolver.ts'
import { DnsFailure } from '../dns/resolver.ts'
import type { WantedRecord } from './dns-records.ts'

export interface CheckedRecord extends WantedRecord {
  /** `unknown`: DNS gave no answer. */
  readonly state: 'ok' | 'missing' | 'differs' | 'unknown'
  /** What stands there, of that kind; at most a few. */
  readonly found: readonly string[]
}

const foundMax = 10
const foundChars = 1_000

export async function checkRecords(
  resolver: Resolver,
  wanted: readonly WantedRecord[],
): Promise<CheckedRecord[]> {
  const checked: CheckedRecord[] = []
  // One after the other: a person waits for it, and a resolver need not be asked for all at once.
  for (const record of wanted) checked.push(await checkRecord(resolver, record))
  return checked
}

async function checkRecord(resolver: Resolver, record: WantedRecord): Promise<CheckedRecord> {
  try {
    const { records } = await resolver.query(record.name, record.type)
    const all = (records as readonly (string | MxRecord)[]).map((each) =>
      typeof each === 'string' ? each : `${each.preference} ${each.exchange}`,
    )
    const found = all.filter((text) => isOfKind(record, text))
    return { ...record, state: stateOf(record, found), found: found.slice(0, foundMax).map(shown) }
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error
    return { ...record, state: 'unknown', found: [] }
  }
}

const kinds: { readonly [purpose in WantedRecord['purpose']]: RegExp } = {
  mx: /^/,
  spf: /^v=spf1( |$)/i,
  dkim: /^/,
  dmarc: /^v=DMARC1\b/,
  'mta-sts': /^v=STSv1\b/,
  'tls-rpt': /^v=TLSRPTv1\b/,
}

function isOfKind({ purpose }: WantedRecord, text: string): boolean {
  return kinds[purpose].test(text)
}

/** A policy may say something else than we would: it is there. A key and a host must be ours. */
function stateOf({ purpose, value }: WantedRecord, found: readonly string[]): CheckedRecord['state'] {
  if (found.length === 0) return 'missing'
  if (purpose === 'mx') {
    const host = value.slice(value.indexOf(' ') + 1).toLowerCase()
    const hosts = found.map((text) => text.slice(text.indexOf(' ') + 1).toLowerCase())
    return hosts.includes(host) ? 'ok' : 'differs'
  }
  if (purpose === 'dkim') {
    const ours = tag(value, 'p')
    return found.some((text) => tag(text, 'p') === ours) ? 'ok' : 'differs'
  }
  // RFC 7208 §4.5: more than one is none; so it is with the others.
  return found.length === 1 ? 'ok' : 'differs'
}

function tag(text: string, name: string): string | null {
  const found = new RegExp(`(?:^|;)\\s*${name}\\s*=([^;]*)`).exec(text)?.[1]
  return found === undefined ? null : found.replace(/\s/g, '')
}

/** A stranger's words, on a terminal. */
function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, foundChars)
}
