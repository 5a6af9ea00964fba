import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { AccountRestoreReport, RestoreReport } from '../store/backup.ts'
import { formatOctets } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { doorFor, withServer } from './reach.ts'
import { type GlobalFlags, runCommand } from './run-command.ts'
import { translatedBackup } from './translated-backup.ts'
import { ProgressLine, runJob } from './work-job.ts'

interface RestoreFlags extends GlobalFlags {
  readonly at?: string
  readonly into?: string
  readonly account?: string
  readonly as?: string
  readonly under?: string
  readonly keepUidvalidity?: boolean
  readonly withoutQueue?: boolean
}

export function registerRestore(program: Command): void {
  program
    .command('restore')
    .description(
      'put a backup back: all of it into an empty folder, or one account’s missing messages into a server',
    )
    .argument('<folder>', 'of the backups')
    .option(
      '--at <time>',
      'which one: its name, the beginning of it (2026-11-23), or a time; else the newest',
    )
    .option('--into <data>', 'everything, into this new data folder')
    .option('--without-queue', 'with --into: leave out what waited to be sent then')
    .option(
      '--keep-uidvalidity',
      'with --into: the server had been stopped for good when the backup was made',
    )
    .option('--account <address>', 'only what this account had and has not any more')
    .option('--as <address>', 'with --account: into another account')
    .option(
      '--under <mailbox>',
      'with --account: into mailboxes under this one, so that it can be removed again',
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 everything is there; 1 something of the backup is damaged, or nothing was restored.',
    )
    .action((named: string, _flags: unknown, command: Command) =>
      runCommand<RestoreFlags>(command, async ({ flags, answer }) => {
        const folder = resolve(named)
        checkFlags(flags)
        if (flags.into !== undefined) {
          const report = await restoreWhole(folder, resolve(flags.into), flags)
          answer({ version: 1, folder, into: resolve(flags.into), ...report }, () =>
            formatWhole(report, flags),
          )
          if (report.damaged.length > 0) process.exitCode = exitCodes.refused
          return
        }
        const { at = null, account: address, as = null, under = null } = flags
        const body = { folder, at, address, as, under }
        const line = new ProgressLine(flags.json !== true)
        const report = await withServer(flags, (reached) =>
          runJob<AccountRestoreReport>(doorFor(reached, as ?? address!), '/v1/backup/restore', body, line),
        )
        answer({ version: 1, folder, ...report }, () => formatAccount(report))
        if (report.failedCount > 0) process.exitCode = exitCodes.refused
      }),
    )
}

function checkFlags(flags: RestoreFlags): void {
  const refuse = (message: string, remedy: string) => {
    throw new CliError(exitCodes.usage, message, remedy, { code: 'usage' })
  }
  if ((flags.into === undefined) === (flags.account === undefined))
    refuse('Give either --into or --account', 'posthorn restore FOLDER --into DATA, or --account ADDRESS.')
  if (flags.account === undefined && (flags.as !== undefined || flags.under !== undefined))
    refuse('--as and --under need --account', 'With --into everything comes back as it was.')
  if (flags.into === undefined && (flags.keepUidvalidity === true || flags.withoutQueue === true))
    refuse(
      '--keep-uidvalidity and --without-queue need --into',
      'An account gets neither UIDs nor queue back.',
    )
}

async function restoreWhole(folder: string, into: string, flags: RestoreFlags): Promise<RestoreReport> {
  const { restoreAll } = await import('../store/sqlite/backup/restore-all.ts')
  process.umask(0o077)
  const line = new ProgressLine(flags.json !== true)
  const request = {
    ...{ folder, into, at: flags.at ?? null, nowMs: Date.now() },
    keepUidValidity: flags.keepUidvalidity === true,
    withoutQueue: flags.withoutQueue === true,
  }
  try {
    return await translatedBackup(async () => restoreAll(request, (progress) => line.show(progress)))
  } finally {
    line.clear()
  }
}

function formatWhole(report: RestoreReport, flags: RestoreFlags): string {
  const { name, messages, accounts, octets, queued, damaged } = report
  const queue =
    queued === 0
      ? []
      : [
          `${queued} messages wait to be sent, as they did then: some may have been sent since. posthorn queue shows them.`,
        ]
  const uids = flags.keepUidvalidity === true ? '' : ' Clients will load their mailboxes anew.'
  const lines = [
    `${flags.into} is the store of ${name}: ${messages} messages of ${accounts} accounts, ${formatOctets(octets)}.${uids}`,
    ...queue,
    ...damaged.map((text) => `Damaged: ${text}`),
    `posthorn verify --data ${flags.into} reads all of it once more.`,
  ]
  return `${lines.join('\n')}\n`
}

function formatAccount(report: AccountRestoreReport): string {
  const { name, address, accountMade, mailboxesMade, added, present, failed, failedCount } = report
  const lines = [
    `${address} has ${added} messages of ${name} back; ${present} were there.`,
    ...(accountMade ? ['The account was not there and was made, with the password it had.'] : []),
    ...(mailboxesMade.length > 0 ? [`New mailboxes: ${mailboxesMade.join(', ')}.`] : []),
    ...failed.map((text) => `Not restored: ${text}`),
    ...(failedCount > failed.length ? [`And ${failedCount - failed.length} more.`] : []),
  ]
  return `${lines.join('\n')}\n`
}
