/** Finds the report that a message carries. For a worker thread. */
import type { ReportLimits } from '../../base/report-limits.ts'
import type { Part } from '../../message/part.ts'
import { scanMessage } from '../../message/scan.ts'
import { decodeTransferEncoding } from '../../message/transfer-encoding.ts'
import { BadReport } from '../bad-report.ts'
import { readDmarcReport } from '../dmarc/read-report.ts'
import type { DmarcReport } from '../dmarc/report.ts'
import { readTlsReport } from '../tls/read-report.ts'
import type { TlsReport } from '../tls/report.ts'
import { decodeXml } from '../xml/decode.ts'
import { BadXml } from '../xml/reader.ts'
import { unpack } from './unpack.ts'

export type AnyReport =
  | { readonly kind: 'dmarc'; readonly report: DmarcReport }
  | { readonly kind: 'tls'; readonly report: TlsReport }

export type FindLimits = Pick<ReportLimits, 'receivedReportTextOctets' | 'receivedReportRows'>

/** Parts that are tried: a report stands in the first that is no text for people. */
const partsMax = 5

/** @returns Null: nothing in it looks like a report. @throws {BadReport} @throws {BadXml} Something does, and is none. */
export function findReport(message: Uint8Array, limits: FindLimits): AnyReport | null {
  const parts = leaves(scanMessage(message).root).filter(mayCarry).slice(0, partsMax)
  let first: unknown = null
  for (const part of parts) {
    const encoded = message.subarray(part.bodyOffset, part.bodyOffset + part.octets)
    try {
      const found = readReport(decodeTransferEncoding(encoded, part.encoding), limits)
      if (found !== null) return found
    } catch (error) {
      if (!(error instanceof BadReport || error instanceof BadXml)) throw error
      first ??= error
    }
  }
  if (first !== null) throw first
  return null
}

/** @returns Null: it begins like neither. @throws {BadReport} @throws {BadXml} */
export function readReport(packed: Uint8Array, limits: FindLimits): AnyReport | null {
  const octets = unpack(packed, limits.receivedReportTextOctets)
  const start = Buffer.from(octets.subarray(0, 64)).toString('latin1')
  // RFC 8460 is JSON; an octet order mark, blanks, or either of UTF-16's two may stand before.
  if (/^(?:\xef\xbb\xbf)?\s*\{/.test(start))
    return { kind: 'tls', report: readTlsReport(octets, limits.receivedReportRows) }
  if (/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff\x00?)?\s*</.test(start))
    return { kind: 'dmarc', report: readDmarcReport(decodeXml(octets), limits) }
  return null
}

function leaves(part: Part): Part[] {
  return part.parts.length === 0 ? [part] : part.parts.flatMap(leaves)
}

/** What mail calls a report differs, so only what is for people is left out; the content decides. */
function mayCarry({ type, subtype }: Part): boolean {
  if (type === 'text') return subtype === 'xml' || subtype === 'json'
  return type === 'application'
}
