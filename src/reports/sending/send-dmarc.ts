/** One aggregate report: from what was gathered to the letters that carry it. */
import { createHash } from 'node:crypto'
import { dayMs } from '../days.ts'
import { findDmarcDestinations } from '../dmarc/destinations.ts'
import type { Gathered } from '../dmarc/gather.ts'
import type { DmarcRecord, DmarcReport } from '../dmarc/report.ts'
import { writeDmarcReport } from '../dmarc/write-report.ts'
import { composeReport } from './compose.ts'
import { type ReportIdentity, submitterOf } from './identity.ts'
import { gzipPieces, mailedOctets } from './pack.ts'
import type { ReportOutcome, SendingWorld } from './world.ts'

export interface SendingHow {
  readonly dryRun: boolean
  readonly lastTry: boolean
  readonly taken: Map<string, number>
}

/** Besides the attachment there are a header and a few lines. */
const letterOctets = 4_000

/**
 * @param dryRun Nothing leaves.
 * @param lastTry What DNS does not say now is not waited for any more.
 * @param taken Reports of this run by the domain of their destination; counted on.
 * @throws {StoreUnavailable}
 */
export async function sendDmarcReport(
  world: SendingWorld,
  gathered: Gathered,
  { dryRun, lastTry, taken }: SendingHow,
): Promise<ReportOutcome> {
  const { policy, day } = gathered
  const identity = await world.identity()
  const now = world.clock.now()
  const end = Math.min(day + dayMs - 1_000, now)
  const reportId = reportIdOf(gathered.key, identity, end)
  const count = gathered.records.reduce((sum, record) => sum + record.count, gathered.leftOut)
  const outcome = { kind: 'dmarc' as const, domain: policy.domain, reportId, begin: day, end, count }
  if (world.excludes(policy.domain)) return { ...outcome, octets: 0, to: [], refused: [], state: 'excluded' }
  const most = world.limits.reportDestinations
  const found = await findDmarcDestinations(world.resolver, policy.domain, gathered.rua, most)
  if (found.uncertain && !lastTry)
    return { ...outcome, octets: 0, to: [], refused: found.refused, state: 'later' }
  if (found.to.length === 0) return { ...outcome, octets: 0, to: [], refused: found.refused, state: 'nobody' }

  const refused = [...found.refused]
  const report = reportOf(world, gathered, { identity, reportId, end })
  const content = await fitting(report, world.limits.reportOctets)
  const to: string[] = []
  for (const [index, { address, domain, octetsMax }] of found.to.entries()) {
    // RFC 9990: as it is mailed. A destination that takes less gets nothing.
    if (mailedOctets(content.length) > (octetsMax ?? Number.POSITIVE_INFINITY)) {
      refused.push({ uri: address, why: `it takes at most ${octetsMax} octets` })
      continue
    }
    const before = taken.get(domain) ?? 0
    if (before >= world.limits.reportsPerDestination) {
      refused.push({ uri: address, why: `${domain} has ${before} reports already` })
      continue
    }
    taken.set(domain, before + 1)
    to.push(address)
    if (dryRun) continue
    const messageId = `<${reportId}.${index}@${submitterOf(identity)}>`
    const about = { kind: 'dmarc' as const, identity, to: address, domain: policy.domain, reportId }
    const octets = composeReport({ ...about, begin: day, end, content, now, messageId })
    const subject = `Report Domain: ${policy.domain}`
    await world.post.mail({
      from: identity.address,
      to: address,
      octets,
      messageId,
      subject,
      tlsOptional: false,
    })
  }
  const state = to.length === 0 ? 'nobody' : dryRun ? 'ready' : 'sent'
  return { ...outcome, octets: content.length, to, refused, state }
}

/** The same for the same report, also when it has to be made a second time: RFC 9990 */
export function reportIdOf(key: string, identity: ReportIdentity, end: number): string {
  const hash = createHash('sha256').update(`${key} ${submitterOf(identity)} ${end}`)
  return hash.digest('hex').slice(0, 32)
}

function reportOf(
  { generator }: SendingWorld,
  { policy, day, records, leftOut }: Gathered,
  {
    identity,
    reportId,
    end,
  }: { readonly identity: ReportIdentity; readonly reportId: string; readonly end: number },
): DmarcReport {
  return {
    metadata: {
      organisation: identity.organisation,
      email: identity.address,
      extraContactInfo: identity.contact,
      reportId,
      begin: Math.floor(day / 1000),
      end: Math.floor(end / 1000),
      errors: leftOut > 0 ? [`${leftOut} messages are not shown: they differ in too many ways`] : [],
      generator,
    },
    policy: {
      domain: policy.domain,
      discoveryMethod: policy.discoveryMethod,
      p: policy.p,
      sp: policy.sp,
      np: policy.np,
      fo: policy.fo,
      adkim: policy.adkim,
      aspf: policy.aspf,
      testing: policy.testing ? 'y' : 'n',
      pct: null,
    },
    records,
    recordsLeftOut: 0,
  }
}

/** The compressed report; rows that count least are left out until a letter can carry it, and the report says so. */
async function fitting(report: DmarcReport, octetsMax: number): Promise<Buffer> {
  const byCount = [...report.records].sort((a, b) => b.count - a.count)
  let kept: readonly DmarcRecord[] = report.records
  let errors = report.metadata.errors
  for (;;) {
    const content = await gzipPieces(
      writeDmarcReport({ ...report, records: kept, metadata: { ...report.metadata, errors } }),
    )
    if (mailedOctets(content.length) + letterOctets <= octetsMax || kept.length <= 1) return content
    kept = byCount.slice(0, Math.floor(kept.length / 2))
    const gone = byCount.slice(kept.length).reduce((sum, { count }) => sum + count, 0)
    errors = [...report.metadata.errors, `${gone} messages are not shown: the report would be too long`]
  }
}
