import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { BackupReport, BackupSummary } from '../store/backup.ts'
import type { AdminDoor } from './admin-door.ts'
import { formatOctets } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { type Reached, withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable } from './terminal.ts'
import { ProgressLine, runJob } from './work-job.ts'

interface BackupFlags {
  readonly keep?: string
  readonly journeys?: boolean
  readonly link?: boolean
  readonly list?: boolean
}

export function registerBackup(program: Command): void {
  program
    .command('backup')
    .description(
      'copy all mail into a folder, while the server runs; what is there already is not copied again',
    )
    .argument('<folder>', 'made when it is missing; best on another disk')
    .option('--keep <count>', 'complete backups to keep there, this one counted; else all')
    .option('--journeys', 'the journeys too')
    .option('--link', 'hard links instead of copies where possible: quick, but no help when the disk fails')
    .option('--list', 'only show the backups that are there')
    .addHelpText(
      'after',
      '\nExit codes: 0 the backup is whole; 1 it lacks what the store itself lacks, or none was made.\nInterrupted, it leaves no backup, and the next one goes on with what was copied.',
    )
    .action((named: string, _flags: unknown, command: Command) =>
      runCommand<BackupFlags>(command, async ({ flags, answer }) => {
        const folder = resolve(named)
        if (flags.list === true) {
          const { listBackups } = await import('../store/backup.ts')
          const backups = listBackups(folder)
          answer({ version: 1, folder, backups }, () => formatList(folder, backups))
          return
        }
        const line = new ProgressLine(flags.json !== true)
        const { keep = null, journeys = false, link = false } = flags
        const report = await withServer(flags, (reached) =>
          runJob<BackupReport>(onlyDoor(reached), '/v1/backup', { folder, keep, journeys, link }, line),
        )
        answer({ version: 1, folder, ...report }, () => formatReport(folder, report))
        if (report.missing.length > 0) process.exitCode = exitCodes.refused
      }),
    )
}

/** The Lab has two servers with one command line: which is meant cannot be known. */
export function onlyDoor({ doors }: Reached): AdminDoor {
  const [only] = doors
  if (only !== undefined && doors.length === 1) return only
  const remedy = 'Name a server with --config FILE.'
  throw new CliError(exitCodes.usage, 'This works on one server, and the Lab has two', remedy, {
    code: 'usage',
  })
}

function formatReport(folder: string, report: BackupReport): string {
  const { name, accounts, messages, octets, octetsWritten, tookMs, removed, missing } = report
  const seconds = (tookMs / 1_000).toFixed(1)
  const lines = [
    `${folder}/${name}: ${messages} messages of ${accounts} accounts, ${formatOctets(octets)}; ` +
      `${formatOctets(octetsWritten)} of it new, in ${seconds} s.`,
    ...(removed.length > 0 ? [`Removed ${removed.length} older: ${removed.join(', ')}.`] : []),
    ...missing.map((text) => `Missing in the store, and so here: ${text}`),
  ]
  return `${lines.join('\n')}\n`
}

function formatList(folder: string, backups: readonly BackupSummary[]): string {
  if (backups.length === 0) return `There is no complete backup in ${folder}.\n`
  const rows = backups.map(({ name, accounts, messages, octets, broken }) =>
    broken === null ? [name, accounts, messages, formatOctets(octets)] : [name, 0, 0, broken],
  )
  return formatTable(['TAKEN AT', 'ACCOUNTS', 'MESSAGES', 'SIZE'], rows)
}
