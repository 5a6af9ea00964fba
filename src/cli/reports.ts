import type { Command } from 'commander'
import type { ReceivedReport, ReportSummary } from '../reports/received/received-reports.ts'
import type { ReportOutcome } from '../reports/sending/world.ts'
import type { AdminDoor } from './admin-door.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { formatReport } from './reports/format.ts'
import { withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable, type Style } from './terminal.ts'

type FromServer<T> = T & { readonly server?: string }

export function registerReports(program: Command): void {
  const reports = program
    .command('reports')
    .description('DMARC and TLS reports: what others tell about us, and we about them')
  registerList(reports)
  reports
    .command('show')
    .description('show a received report: who sends in our name, or how TLS fared')
    .argument('<id>')
    .action((id: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer, style }) => {
        const path = `/v1/reports/${encodeURIComponent(id)}`
        const report = await withServer(flags, ({ doors }) => atOne<ReceivedReport>(doors, path))
        answer({ version: 1, ...report }, () => formatReport(report, style))
      }),
    )
  registerSend(reports)
}

function registerList(reports: Command): void {
  reports
    .command('ls', { isDefault: true })
    .alias('list')
    .description('show received reports, newest first')
    .option('-d, --domain <domain>', 'only those about this domain')
    .option('-n, --limit <count>', 'reports at most', '100')
    .action((_flags: unknown, command: Command) =>
      runCommand<{ domain?: string; limit: string }>(command, async ({ flags, answer, style }) => {
        const query = new URLSearchParams({ limit: flags.limit })
        if (flags.domain !== undefined) query.set('domain', flags.domain)
        const found = await withServer(flags, ({ doors }) =>
          fromAll(doors, async (door) => {
            const path = `/v1/reports?${query.toString()}`
            return (await door.call<{ reports: ReportSummary[] }>('GET', path)).reports
          }),
        )
        answer({ version: 1, reports: found }, () => formatList(found, style))
      }),
    )
}

function registerSend(reports: Command): void {
  reports
    .command('send')
    .description('send what is due now instead of after midnight')
    .option('--now', 'also what was seen today so far')
    .option('--dry-run', 'show what would be sent; nothing leaves')
    .action((_flags: unknown, command: Command) =>
      runCommand<{ now?: boolean; dryRun?: boolean }>(command, async ({ flags, answer, style }) => {
        const request = { now: flags.now === true, dryRun: flags.dryRun === true }
        const sent = await withServer(flags, ({ doors }) =>
          fromAll(doors, async (door) => {
            const path = '/v1/reports/send'
            return (await door.call<{ reports: ReportOutcome[] }>('POST', path, request)).reports
          }),
        )
        answer({ version: 1, dryRun: request.dryRun, reports: sent }, () => formatSent(sent, style))
      }),
    )
}

async function fromAll<T extends object>(
  doors: readonly AdminDoor[],
  ask: (door: AdminDoor) => Promise<T[]>,
): Promise<FromServer<T>[]> {
  const all = doors.map(async (door) => {
    const found = await ask(door)
    return door.name === '' ? found : found.map((one) => ({ ...one, server: door.name }))
  })
  return (await Promise.all(all)).flat()
}

/** Asks one server after the other until one has it. */
async function atOne<T>(doors: readonly AdminDoor[], path: string): Promise<T> {
  let unknown: unknown = null
  for (const door of doors) {
    try {
      return await door.call<T>('GET', path)
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== exitCodes.notFound) throw error
      unknown = error
    }
  }
  throw unknown
}

function formatList(reports: readonly FromServer<ReportSummary>[], style: Style): string {
  if (reports.length === 0) return 'No reports have come.\n'
  const several = reports.some(({ server }) => server !== undefined)
  const rows = reports.map((one) => [
    one.id,
    ...(several ? [one.server ?? ''] : []),
    dateOf(one.begin),
    one.kind,
    one.domain,
    one.verified ? one.organisation : `${one.organisation} (not proven)`,
    one.total,
    one.passed,
    one.total - one.passed,
  ])
  const first = several ? ['ID', 'SERVER', 'DAY'] : ['ID', 'DAY']
  return formatTable([...first, 'KIND', 'DOMAIN', 'FROM', 'TOTAL', 'PASSED', 'FAILED'], rows, style)
}

function formatSent(sent: readonly FromServer<ReportOutcome>[], style: Style): string {
  if (sent.length === 0) return 'Nothing was seen that anybody is to be told of.\n'
  const rows = sent.map((one) => [
    dateOf(one.begin),
    one.kind,
    one.domain,
    one.count,
    words[one.state],
    [...one.to, ...one.refused.map(({ uri, why }) => `not ${uri}: ${why}`)].join(', '),
  ])
  return formatTable(['DAY', 'KIND', 'DOMAIN', 'COUNT', 'STATE', 'TO'], rows, style)
}

const words: Record<ReportOutcome['state'], string> = {
  sent: 'sent',
  ready: 'would be sent',
  nobody: 'nobody wants it',
  excluded: 'excluded',
  later: 'tried again later',
}

function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
