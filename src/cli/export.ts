import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { TransferFormat } from '../transfer/source.ts'
import type { ExportedMailbox } from '../transfer/wire.ts'
import { formatOctets, printableLine } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { translated } from './import.ts'
import { doorFor, type Reached, withServer } from './reach.ts'
import { type GlobalFlags, runCommand } from './run-command.ts'
import { note, printJson } from './terminal.ts'
import { ProgressLine } from './transfer-progress.ts'

interface ExportFlags extends GlobalFlags {
  readonly format: TransferFormat
  readonly mailbox?: readonly string[]
}

export function registerExport(program: Command): void {
  program
    .command('export')
    .description('write an account’s mail into a folder, as files that other programs read')
    .argument('<address>', 'the account')
    .argument('<path>', 'a folder; made when it is missing')
    .addOption(
      new Option('--format <format>', 'one mbox for each mailbox, a Maildir, or a file for each message')
        .choices(['mbox', 'maildir', 'eml'])
        .makeOptionMandatory(),
    )
    .option('--mailbox <name...>', 'only these mailboxes, and what is under them')
    .addHelpText(
      'after',
      '\nGiven again, it goes on where it was, and adds what is new. The folder must be empty at first: nothing in it is written over.',
    )
    .action((address: string, path: string, _flags: unknown, command: Command) =>
      runCommand<ExportFlags>(command, async ({ flags, answer }) => {
        const value = await withServer(flags, (reached) =>
          translated(() => exportAll(reached, address, resolve(path), flags)),
        )
        answer(value, () => formatResult(value))
        if (value.skipped.length > 0) process.exitCode = exitCodes.refused
      }),
    )
}

async function exportAll(reached: Reached, address: string, folder: string, flags: ExportFlags) {
  const { runExport } = await import('../transfer/run-export.ts')
  const { ProgressMeter } = await import('../transfer/progress.ts')
  const door = doorFor(reached, address)
  const listed = await door.call<{ accountKey: string; mailboxes: ExportedMailbox[] }>(
    'GET',
    `/v1/exports/${encodeURIComponent(address)}`,
  )
  const mailboxes = choose(listed.mailboxes, flags.mailbox)
  const total = mailboxes.reduce((sum, mailbox) => sum + mailbox.total, 0)
  const meter = new ProgressMeter(total, () => performance.now())
  const json = flags.json === true
  const line = new ProgressLine(meter, json)
  const skipped: { place: string; reason: string }[] = []
  try {
    const result = await runExport({
      ...{ door, address, accountKey: listed.accountKey, mailboxes, folder, format: flags.format, meter },
      onStep: () => line.step(),
      onSkipped(place, reason) {
        skipped.push({ place, reason })
        line.clear()
        if (json) printJson({ skipped: { place, reason } })
        else note(`skipped ${printableLine(place)}: ${reason}\n`)
      },
    })
    const seconds = Math.round(meter.seconds * 1_000) / 1_000
    return { version: 1, address, folder, format: flags.format, ...result, seconds, skipped }
  } finally {
    line.clear()
  }
}

/** @throws {CliError} One of those named is not there. */
function choose(all: readonly ExportedMailbox[], names: readonly string[] | undefined): ExportedMailbox[] {
  if (names === undefined) return [...all]
  const wanted = names.map((name) => (/^inbox(?=\/|$)/i.test(name) ? `INBOX${name.slice(5)}` : name))
  for (const name of wanted) {
    if (all.some((mailbox) => mailbox.name === name)) continue
    const remedy = `There are ${all.map((mailbox) => mailbox.name).join(', ')}.`
    throw new CliError(exitCodes.notFound, `There is no mailbox ${name}`, remedy, { code: 'no-mailbox' })
  }
  return all.filter(({ name }) => wanted.some((one) => name === one || name.startsWith(`${one}/`)))
}

function formatResult(result: Awaited<ReturnType<typeof exportAll>>): string {
  const { written, there, octets, seconds, skipped, paths, folder } = result
  const rate = seconds > 0 ? `, ${Math.round(written / seconds)} messages/s` : ''
  const lines = [
    `Wrote ${written} messages (${formatOctets(octets)}) in ${seconds.toFixed(1)} s${rate}, to ${folder}.`,
    ...(there > 0 ? [`${there} were there already.`] : []),
    ...(skipped.length > 0 ? [`Skipped ${skipped.length} that cannot be read.`] : []),
    ...Object.entries(paths).map(([name, path]) => `  ${printableLine(name)}  ${path}`),
  ]
  return `${lines.join('\n')}\n`
}
