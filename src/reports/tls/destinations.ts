import { DnsFailure, type Resolver } from '../../dns/resolver.ts'
import type { Destinations } from '../dmarc/destinations.ts'
import { tagOf } from '../dmarc/record.ts'
import { readReportUris, type ReportUri } from '../report-uri.ts'

/**
 * Who gets the TLS reports about a domain: `_smtp._tls.DOMAIN`, RFC 8460 Never rejects for what DNS does.
 *
 * Nobody asks the destinations for consent (§7): only mail that we ourselves send brings a report about.
 */
export async function findTlsDestinations(
  resolver: Resolver,
  domain: string,
  most: number,
): Promise<Destinations<ReportUri>> {
  const nobody = { to: [], refused: [], uncertain: false }
  try {
    const { records } = await resolver.query(`_smtp._tls.${domain}`, 'TXT')
    // §3: what does not begin with the version is discarded, and several are as none.
    const [record, ...others] = records.filter((text) => /^v=TLSRPTv1[ \t]*;/.test(text))
    if (record === undefined || others.length > 0) return nobody
    const uris = readReportUris(tagOf(record, 'rua') ?? '')
    const refused = uris.slice(most).map((uri) => ({
      uri: uri.kind === 'mailto' ? uri.address : uri.url,
      why: `only ${most} destinations are used`,
    }))
    return { to: uris.slice(0, most), refused, uncertain: false }
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error
    return { ...nobody, uncertain: true }
  }
}
