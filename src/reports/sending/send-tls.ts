/** One TLS report: from what was gathered to the letters and uploads that carry it, RFC 8460 */
import { dayMs } from '../days.ts'
import { findTlsDestinations } from '../tls/destinations.ts'
import type { GatheredTls } from '../tls/gather.ts'
import { writeTlsReport } from '../tls/write-report.ts'
import { composeReport } from './compose.ts'
import { submitterOf } from './identity.ts'
import { gzipPieces } from './pack.ts'
import { reportIdOf } from './send-dmarc.ts'
import type { ReportOutcome, SendingWorld } from './world.ts'

/** As `sendDmarcReport`. An upload that fails is tried again with all the others: who got it knows its id. */
export async function sendTlsReport(
  world: SendingWorld,
  gathered: GatheredTls,
  { dryRun, lastTry }: { readonly dryRun: boolean; readonly lastTry: boolean },
): Promise<ReportOutcome> {
  const { day, domain, policies } = gathered
  const identity = await world.identity()
  const now = world.clock.now()
  const end = Math.min(day + dayMs - 1_000, now)
  const reportId = reportIdOf(`tls ${day} ${domain}`, identity, end)
  const count = policies.reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0)
  const outcome = { kind: 'tls' as const, domain, reportId, begin: day, end, count }
  if (world.excludes(domain)) return { ...outcome, octets: 0, to: [], refused: [], state: 'excluded' }
  const found = await findTlsDestinations(world.resolver, domain, world.limits.reportDestinations)
  if (found.uncertain && !lastTry) return { ...outcome, octets: 0, to: [], refused: [], state: 'later' }
  if (found.to.length === 0) return { ...outcome, octets: 0, to: [], refused: found.refused, state: 'nobody' }

  const text = writeTlsReport({
    organisation: identity.organisation,
    // RFC 8460 §4.4 and §5.3: an address, and of the domain that TLS-Report-Submitter and the file name say.
    contact: identity.address,
    reportId: `${reportId}@${submitterOf(identity)}`,
    ...{ begin: day, end, policies, detailsLeftOut: 0 },
  })
  const content = await gzipPieces([text])
  const to = found.to.map((uri) => (uri.kind === 'mailto' ? uri.address : uri.url))
  const ready = { ...outcome, octets: content.length, to, refused: found.refused }
  if (dryRun) return { ...ready, state: 'ready' }
  let failed = false
  for (const [index, uri] of found.to.entries()) {
    if (uri.kind === 'mailto') {
      const messageId = `<${reportId}.${index}@${submitterOf(identity)}>`
      const about = { kind: 'tls' as const, identity, to: uri.address, domain, reportId }
      const octets = composeReport({ ...about, begin: day, end, content, now, messageId })
      const subject = `Report Domain: ${domain}`
      await world.post.mail({
        from: identity.address,
        to: uri.address,
        octets,
        messageId,
        subject,
        tlsOptional: true,
      })
      continue
    }
    try {
      await world.post.upload(uri.url, content, 'application/tlsrpt+gzip')
    } catch (error) {
      world.log.warn('TLS report cannot be uploaded', { domain, url: uri.url, error })
      failed = true
    }
  }
  return {
    ...ready,
    state: failed && !lastTry && found.to.every(({ kind }) => kind === 'https') ? 'later' : 'sent',
  }
}
