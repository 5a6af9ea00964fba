import type { DmarcRecord, DmarcReport } from '../../reports/dmarc/report.ts'
import type { ReceivedReport } from '../../reports/received/received-reports.ts'
import type { TlsReport } from '../../reports/tls/report.ts'
import { printableLine } from '../agent/terminal.ts'
import { formatTable, type Style } from '../terminal.ts'

/** A report for people. What strangers wrote is printed with its controls taken out. */
export function formatReport(report: ReceivedReport, style: Style): string {
  const { organisation, verified, begin, end, reportId, total, passed } = report
  const what = report.kind === 'dmarc' ? 'messages' : 'sessions'
  const head = [
    style.bold(printableLine(`${report.kind === 'dmarc' ? 'DMARC' : 'TLS'} report about ${report.domain}`)),
    printableLine(
      `from ${organisation}${verified ? '' : ' (not proven: DMARC did not pass for its letter)'}`,
    ),
    `${time(begin)} to ${time(end)}, ${total} ${what}: ${passed} passed, ${total - passed} failed`,
    printableLine(`report ${reportId}`),
  ]
  const body = report.kind === 'dmarc' ? dmarcLines(report.report, style) : tlsLines(report.report, style)
  return `${[...head, '', ...body].join('\n')}\n`
}

function dmarcLines({ policy, metadata, records, recordsLeftOut }: DmarcReport, style: Style): string[] {
  const tags = Object.entries({
    p: policy.p,
    sp: policy.sp,
    np: policy.np,
    adkim: policy.adkim,
    aspf: policy.aspf,
  })
  const published = tags.flatMap(([tag, value]) => (value === null ? [] : `${tag}=${value}`))
  if (policy.testing === 'y') published.push('t=y')
  const rows = bySource(records).map((source) => [
    source.address,
    source.count,
    source.dkim,
    source.spf,
    source.failed,
    [...source.domains].slice(0, 3).join(' '),
    [...source.dispositions].join(' '),
  ])
  const headings = ['SOURCE', 'MESSAGES', 'DKIM', 'SPF', 'FAILED', 'FROM', 'DONE']
  return [
    printableLine(`policy: ${published.join('; ')}`),
    ...metadata.errors.map((error) => printableLine(`they say: ${error}`)),
    ...(recordsLeftOut > 0 ? [`${recordsLeftOut} rows are not kept`] : []),
    '',
    formatTable(headings, rows, style).trimEnd(),
  ]
}

interface Source {
  readonly address: string
  count: number
  /** Messages that passed it, aligned. */
  dkim: number
  spf: number
  failed: number
  readonly domains: Set<string>
  readonly dispositions: Set<string>
}

/** Who sends in our name: the address with the most failures first. */
function bySource(records: readonly DmarcRecord[]): Source[] {
  const sources = new Map<string, Source>()
  for (const record of records) {
    const address = record.sourceAddress
    let source = sources.get(address)
    if (source === undefined) {
      const nothing = { count: 0, dkim: 0, spf: 0, failed: 0 }
      source = { address, ...nothing, domains: new Set(), dispositions: new Set() }
      sources.set(address, source)
    }
    source.count += record.count
    if (record.dkim === 'pass') source.dkim += record.count
    if (record.spf === 'pass') source.spf += record.count
    if (record.dkim !== 'pass' && record.spf !== 'pass') source.failed += record.count
    source.domains.add(record.headerFrom)
    source.dispositions.add(record.disposition)
  }
  return [...sources.values()].sort((a, b) => b.failed - a.failed || b.count - a.count)
}

function tlsLines({ policies }: TlsReport, style: Style): string[] {
  const rows = policies.flatMap((policy) => [
    [policy.domain, policy.type, 'success', policy.succeeded, '', ''],
    ...policy.failures.map((failure) => [
      policy.domain,
      policy.type,
      failure.type,
      failure.count,
      failure.mxHost ?? failure.receivingAddress ?? '',
      failure.reason ?? failure.more ?? '',
    ]),
  ])
  return [formatTable(['DOMAIN', 'POLICY', 'RESULT', 'SESSIONS', 'HOST', 'REASON'], rows, style).trimEnd()]
}

function time(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ')
}
