import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { VerifyReport } from '../store/backup.ts'
import { AdminDoor, NobodyThere, socketTransport } from './admin-door.ts'
import { formatOctets, printableLine } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { requireConfigFile } from './config.ts'
import { type GlobalFlags, runCommand } from './run-command.ts'
import type { Style } from './terminal.ts'
import { translatedBackup } from './translated-backup.ts'
import { ProgressLine, runJob } from './work-job.ts'

interface VerifyFlags extends GlobalFlags {
  readonly data?: string
  readonly backup?: string
  readonly at?: string
  readonly quick?: boolean
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('read everything that is kept, compare every hash and every count, and name what is wrong')
    .option('--data <folder>', 'this data folder; else that of the configuration')
    .option('--backup <folder>', 'a backup in this folder')
    .option('--at <time>', 'with --backup: which one; else the newest')
    .option('--quick', 'tables, lengths and headers only; bodies are not read')
    .addHelpText(
      'after',
      '\nIt changes nothing, and works while the server runs. Exit codes: 0 all is well, 1 something is wrong.',
    )
    .action((_flags: unknown, command: Command) =>
      runCommand<VerifyFlags>(command, async ({ flags, answer, style }) => {
        if (flags.data !== undefined && flags.backup !== undefined)
          throw new CliError(exitCodes.usage, 'Give either --data or --backup', '', { code: 'usage' })
        const line = new ProgressLine(flags.json !== true)
        const report = await translatedBackup(() => verifyIt(flags, line)).finally(() => line.clear())
        const sound = report.problems.length === 0
        answer({ version: 1, sound, ...report }, () => formatReport(report, style))
        if (!sound) process.exitCode = exitCodes.refused
      }),
    )
}

async function verifyIt(flags: VerifyFlags, line: ProgressLine): Promise<VerifyReport> {
  const quick = flags.quick === true
  const { verifyBackup, verifyStore } = await import('../store/backup.ts')
  if (flags.backup !== undefined)
    return verifyBackup(resolve(flags.backup), flags.at ?? null, quick, (progress) => line.show(progress))
  const data = flags.data === undefined ? await configuredData(flags) : resolve(flags.data)
  const running = await verifyRunning(data, quick, line)
  if (running !== null) return running
  const letGo = await takeStopped(data)
  try {
    return await verifyStore(null, data, quick, (progress) => line.show(progress))
  } finally {
    letGo()
  }
}

async function configuredData(flags: GlobalFlags): Promise<string> {
  const { loadConfig } = await import('../daemon/load-config.ts')
  return (await loadConfig(requireConfigFile(flags))).config.data
}

/** A server that has the folder does it itself: it knows which files must stay meanwhile. @returns Null: none runs. */
async function verifyRunning(data: string, quick: boolean, line: ProgressLine): Promise<VerifyReport | null> {
  const { controlPath } = await import('../daemon/control-path.ts')
  const door = new AdminDoor('', true, socketTransport(controlPath(data)))
  try {
    await door.call('GET', '/v1/status')
  } catch (error) {
    if (error instanceof NobodyThere) return null
    throw error
  }
  return runJob<VerifyReport>(door, '/v1/backup/verify', { quick }, line)
}

/** Keeps a server from starting meanwhile; without opening the store, which would change it. */
async function takeStopped(data: string): Promise<() => void> {
  if (!existsSync(join(data, 'shard-00'))) {
    const remedy = 'Name a data folder with --data, or a configuration with --config.'
    throw new CliError(exitCodes.notFound, `There is no store in ${data}`, remedy, { code: 'no-store' })
  }
  const { takeFolder } = await import('../store/sqlite/owner.ts')
  return takeFolder(data)
}

function formatReport(report: VerifyReport, style: Style): string {
  const { problems, counts, notes, accounts, messages, bodies, octets, tookMs } = report
  const read = octets > 0 ? `, ${formatOctets(octets)} read and hashed` : ''
  const what = `${messages} messages of ${accounts} accounts, ${bodies} bodies${read}, in ${(tookMs / 1_000).toFixed(1)} s`
  const lines = problems.map(({ kind, text, account, mailbox, uid }) => {
    const where = [account, mailbox, uid === null ? null : `UID ${uid}`].filter((part) => part !== null)
    return `${style.bad(kind)}  ${printableLine(where.join(', '))}${where.length > 0 ? ': ' : ''}${printableLine(text)}`
  })
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  if (total > problems.length) lines.push(`And ${total - problems.length} more.`)
  lines.push(...notes.map((text) => `${style.dim('note')}  ${printableLine(text)}`))
  lines.push(
    total === 0
      ? `${style.good('Sound')}: ${what}.`
      : `${style.bad('Not sound')}: ${total} problems; ${what}.`,
  )
  return `${lines.join('\n')}\n`
}
