import type { Command } from 'commander'
import type { CleanState } from '../admin/store.ts'
import type { CleanReport, StoreStat } from '../store/housekeeping.ts'
import type { AdminDoor } from './admin-door.ts'
import { formatOctets } from './agent/terminal.ts'
import { withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { note } from './terminal.ts'

const askEveryMs = 200

/** Added here: which of several servers. */
type Named<T> = T & { readonly server?: string }

export function registerStore(program: Command): void {
  const store = program.command('store').description('the data folder: what is in it, and clearing it up')
  store
    .command('stat')
    .description('show how many messages there are and how much room they take')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const stores = await withServer(flags, ({ doors }) =>
          Promise.all(doors.map(async (door) => named(door, await door.call<StoreStat>('GET', '/v1/store')))),
        )
        answer({ version: 1, stores }, () => stores.map(formatStat).join('\n'))
      }),
    )
  store
    .command('clean')
    .description('do now what the server does every hour: expire, clear away, compress')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const reports = await withServer(flags, async ({ doors }) => {
          const all: Named<CleanReport>[] = []
          for (const door of doors) all.push(named(door, await clean(door)))
          return all
        })
        answer({ version: 1, reports }, () => reports.map(formatReport).join('\n'))
      }),
    )
}

function named<T extends object>(door: AdminDoor, value: T): Named<T> {
  return door.name === '' ? value : { server: door.name, ...value }
}

async function clean(door: AdminDoor): Promise<CleanReport> {
  await door.call('POST', '/v1/store/clean')
  for (;;) {
    const state = await door.call<CleanState>('GET', '/v1/store/clean')
    if (process.stderr.isTTY) note(`\r\x1b[K${state.running ? progressText(state) : ''}`)
    if (!state.running && state.report !== null) return state.report
    await new Promise((resolve) => setTimeout(resolve, askEveryMs))
  }
}

function progressText({ progress }: CleanState): string {
  if (progress === null) return 'beginning'
  const { step, done, total } = progress
  return total === 0 ? step : `${step}: ${Math.floor((done / total) * 100)} %`
}

function formatLines(server: string | undefined, lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length))
  const text = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
  return server === undefined ? text : `${server}\n${text}`
}

function formatStat(stat: Named<StoreStat>): string {
  const { segments, largeBodies, undelete } = stat
  return formatLines(stat.server, [
    ['accounts', String(stat.accounts)],
    ['messages', `${stat.messages}, ${formatOctets(stat.octets)}`],
    ['in the queue', String(stat.queued)],
    [
      'to undelete',
      `${undelete.messages} messages, ${formatOctets(undelete.octets)}; ${undelete.accounts} accounts`,
    ],
    ['segments', `${segments.count}, ${formatOctets(segments.octets)}; ${segments.packed} compressed`],
    ['  needed', `${formatOctets(segments.liveOctets)} for ${formatOctets(segments.bodyOctets)} of bodies`],
    ['  garbage', formatOctets(segments.garbageOctets)],
    ['large bodies', `${largeBodies.count}, ${formatOctets(largeBodies.octets)}`],
    ['tables', formatOctets(stat.tablesOctets)],
    ['write-ahead log', formatOctets(stat.walOctets)],
  ])
}

function formatReport(report: Named<CleanReport>): string {
  const lines: [string, string][] = [
    ['expired from Trash and Junk', String(report.expired)],
    ['expunged UIDs forgotten', String(report.forgotten)],
    [
      'segments rewritten',
      `${report.segmentsRewritten}, ${formatOctets(report.octetsRead)} as ${formatOctets(report.octetsWritten)}`,
    ],
    ['segments removed', String(report.segmentsRemoved)],
    ['files that belonged to nothing', String(report.orphanFiles)],
  ]
  if (report.orphanRows > 0) lines.push(['rows that belonged to nothing', String(report.orphanRows)])
  if (report.damaged > 0) lines.push(['damaged bodies', `${report.damaged}, see the log`])
  return formatLines(report.server, lines)
}
