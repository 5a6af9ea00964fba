import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { ImportJournal, Skipped } from '../transfer/import-journal.ts'
import type { ImportFormat } from '../transfer/open-source.ts'
import type { ImportResult, TransferDoor } from '../transfer/run-import.ts'
import type { OpenedImport } from '../transfer/wire.ts'
import { type AdminDoor, NobodyThere } from './admin-door.ts'
import { formatOctets, printableLine } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { doorFor, withServer } from './reach.ts'
import { type GlobalFlags, runCommand } from './run-command.ts'
import { note, printJson } from './terminal.ts'
import { ProgressLine } from './transfer-progress.ts'

interface ImportFlags extends GlobalFlags {
  readonly format: ImportFormat
  readonly into?: string
  readonly dryRun?: boolean
  readonly again?: boolean
  readonly undo?: boolean
  readonly seen?: boolean
}

interface Given {
  readonly address: string
  readonly path: string
  readonly flags: ImportFlags
  readonly door: AdminDoor
}

export function registerImport(program: Command): void {
  program
    .command('import')
    .description('bring mail from an mbox, a Maildir or .eml files into an account')
    .argument('<address>', 'the account')
    .argument('<path>', 'a file, or a folder')
    .addOption(
      new Option('--format <format>', 'what it is; mboxo: an mbox that quotes "From " only')
        .choices(['auto', 'mbox', 'mboxo', 'maildir', 'eml'])
        .default('auto'),
    )
    .option('--into <mailbox>', 'put it into this mailbox, and what is in folders under it')
    .option('--dry-run', 'only read it and say what there is')
    .option('--seen', 'mark everything as read')
    .option('--again', 'import all of it once more, whatever was imported before')
    .option('--undo', 'take the import of this path back')
    .addHelpText(
      'after',
      '\nGiven again, it goes on where it was, and imports nothing twice. What cannot be imported is listed; the exit code is then 1.',
    )
    .action((address: string, path: string, _flags: unknown, command: Command) =>
      runCommand<ImportFlags>(command, async ({ flags, answer }) => {
        if (flags.undo === true && (flags.again === true || flags.dryRun === true)) {
          throw new CliError(exitCodes.usage, '--undo goes alone', 'Leave out --again and --dry-run.', {
            code: 'usage',
          })
        }
        await withServer(flags, async (reached) => {
          const given = { address, path: resolve(path), flags, door: doorFor(reached, address) }
          await translated(() => (flags.undo === true ? undo(given, answer) : importAll(given, answer)))
        })
      }),
    )
}

type Answer = (value: unknown, text: string | (() => string)) => void

async function importAll(given: Given, answer: Answer): Promise<void> {
  const { address, path, flags, door } = given
  const { openSource } = await import('../transfer/open-source.ts')
  const { ImportRun } = await import('../transfer/run-import.ts')
  const { ProgressMeter } = await import('../transfer/progress.ts')
  const source = await openSource(path, flags.format)
  const opened = await openImport(given)
  const journal = flags.dryRun === true ? null : await openJournal(given, opened)
  const before = journal?.filedMessages ?? 0
  const skipped: Skipped[] = [...(journal?.skipped ?? [])]
  const meter = new ProgressMeter(source.total.count, () => performance.now())
  const line = new ProgressLine(meter, flags.json === true)
  const run = new ImportRun({
    ...{ door: door satisfies TransferDoor, source, opened, journal, meter },
    into: flags.into ?? null,
    seen: flags.seen === true,
    onStep: () => line.step(),
    onSkipped(one) {
      skipped.push(one)
      line.clear()
      tellSkipped(one, flags.json === true)
    },
  })
  let result: ImportResult
  try {
    result = await run.run()
    await journal?.finish(Date.now())
  } finally {
    line.clear()
    await journal?.close()
  }
  await door.call('DELETE', `/v1/imports/${opened.importId}`)
  const failed = skipped.filter(({ harmless }) => !harmless)
  const filedBefore = (journal?.filedMessages ?? result.filed) - result.filed
  const seconds = Math.round(meter.seconds * 1_000) / 1_000
  const value = {
    version: 1,
    ...{
      address,
      source: path,
      format: source.format,
      dryRun: journal === null,
      ...result,
      filedBefore,
      seconds,
    },
    skipped: skipped.map(({ place, reason, harmless }) => ({ place, reason, harmless })),
  }
  answer(value, () => formatResult(value, failed.length, before > 0))
  if (failed.length > 0) process.exitCode = exitCodes.refused
}

async function undo(given: Given, answer: Answer): Promise<void> {
  const { undoImport } = await import('../transfer/undo-import.ts')
  const opened = await openImport(given)
  const journal = await openJournal(given, opened, true)
  const undone = await undoImport(given.door, opened, journal)
  await given.door.call('DELETE', `/v1/imports/${opened.importId}`)
  const elsewhere = undone.filed - undone.removed
  const moved = elsewhere === 0 ? '' : ` ${elsewhere} had been moved or removed meanwhile.`
  const mailboxes =
    undone.mailboxes.length === 0 ? '' : ` Removed the mailboxes ${undone.mailboxes.join(', ')}.`
  answer({ version: 1, ...undone }, `Took back ${undone.removed} messages.${moved}${mailboxes}\n`)
}

/** The same source into the same place is the same import. */
async function nameOf({ path, flags }: Given): Promise<string> {
  return JSON.stringify([await realpath(path).catch(() => path), flags.into ?? null])
}

async function openImport(given: Given): Promise<OpenedImport> {
  return given.door.call('POST', '/v1/imports', { address: given.address, source: await nameOf(given) })
}

async function openJournal(given: Given, opened: OpenedImport, mustExist = false): Promise<ImportJournal> {
  const { ImportJournal } = await import('../transfer/import-journal.ts')
  const { address, path, flags } = given
  const name = JSON.stringify([opened.accountKey, address, await nameOf(given)])
  const file = join(stateFolder(), `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.jsonl`)
  let journal = await ImportJournal.open(file)
  if (mustExist && journal.isNew) {
    const remedy = 'Give the path, and --into, as they were when it was imported.'
    throw new CliError(exitCodes.notFound, `Nothing was imported from ${path}`, remedy, { code: 'no-import' })
  }
  if (flags.again === true) {
    await journal.forget()
    journal = await ImportJournal.open(file)
  }
  await journal.start({ posthorn: 'import', version: 1, address, source: path, into: flags.into ?? null })
  return journal
}

/** The XDG base directory specification's place for what should outlive a restart and is no configuration. */
function stateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const state = environment['XDG_STATE_HOME']
  const base = state?.startsWith('/') ? state : join(homedir(), '.local', 'state')
  return join(base, 'posthorn', 'imports')
}

function tellSkipped({ place, reason, harmless }: Skipped, json: boolean): void {
  if (json) printJson({ skipped: { place, reason, harmless } })
  else if (!harmless) note(`skipped ${printableLine(place)}: ${reason}\n`)
}

interface Shown extends ImportResult {
  readonly address: string
  readonly dryRun: boolean
  readonly filedBefore: number
  readonly seconds: number
  readonly skipped: readonly { readonly harmless: boolean }[]
}

function formatResult(result: Shown, failed: number, resumed: boolean): string {
  const { address, filed, octets, seconds, filedBefore, mailboxes, skipped, dryRun } = result
  const rate = seconds > 0 ? `, ${Math.round(filed / seconds)} messages/s` : ''
  const what = dryRun ? 'Would import' : 'Imported'
  const passed = skipped.length - failed
  const lines = [
    `${what} ${filed} messages (${formatOctets(octets)}) for ${address} in ${seconds.toFixed(1)} s${rate}.`,
    ...(resumed || filedBefore > 0 ? [`${filedBefore} had been imported before.`] : []),
    ...(passed > 0 ? [`Passed over ${passed} that are no messages, or were deleted.`] : []),
    ...(failed > 0
      ? [`Skipped ${failed} that cannot be imported; they are listed above when met first, and with --json.`]
      : []),
    ...Object.entries(mailboxes)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `  ${printableLine(name)}  ${count}`),
  ]
  return `${lines.join('\n')}\n`
}

/** What the rooms below say in their own terms. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof CliError) throw error
    if (error instanceof NobodyThere) {
      const message = 'The server stopped meanwhile'
      throw new CliError(exitCodes.tryLater, message, 'Give the same command again: it goes on.', {
        cause: error,
        code: 'server-stopped',
      })
    }
    // By name: who only asks for help should not load the rooms that declare them.
    if (error.name !== 'BadSource' && error.name !== 'ForeignFile') throw error
    const { remedy, missing } = error as Error & { remedy: string; missing?: boolean }
    const exitCode = missing === true ? exitCodes.notFound : exitCodes.refused
    throw new CliError(exitCode, error.message, remedy, { cause: error, code: codes[error.name] ?? 'failed' })
  }
}

const codes: Readonly<Record<string, string>> = { BadSource: 'bad-source', ForeignFile: 'foreign-file' }
