import type { Command } from 'commander'
import { CliError, exitCodes } from './cli-error.ts'
import { noStyle, printJson, type Style, styleFor } from './terminal.ts'

/** Options that every command takes. */
export interface GlobalFlags {
  readonly config?: string
  readonly lab?: boolean
  readonly json?: boolean
}

export interface CommandWork<Flags> {
  readonly flags: Flags & GlobalFlags
  readonly style: Style
  /** Prints the value with `--json`, else the text. */
  answer(value: unknown, text: string | (() => string)): void
}

/** Runs a command; what goes wrong becomes lines on standard error that say what to do next, and an exit code. */
export async function runCommand<Flags = GlobalFlags>(
  command: Command,
  work: (given: CommandWork<Flags>) => Promise<void>,
): Promise<void> {
  const flags = command.optsWithGlobals<Flags & GlobalFlags>()
  const json = flags.json === true
  try {
    await work({
      flags,
      style: json ? noStyle : styleFor(process.stdout),
      answer(value, text) {
        if (json) printJson(value)
        else process.stdout.write(typeof text === 'string' ? text : text())
      },
    })
  } catch (error) {
    process.exitCode = complain(error, json)
  }
}

interface Complaint {
  readonly exitCode: number
  readonly code: string
  readonly message: string
  readonly remedy: string
}

/** Says on standard error what went wrong. @returns The exit code. */
export function complain(error: unknown, json: boolean): number {
  const { exitCode, code, message, remedy } = complaintOf(error)
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, remedy } })}\n`)
  else {
    const style = styleFor(process.stderr)
    process.stderr.write(`${style.bad('posthorn:')} ${message}\n${remedy === '' ? '' : `  ${remedy}\n`}`)
  }
  return exitCode
}

function complaintOf(error: unknown): Complaint {
  if (error instanceof CliError) return error
  if (!(error instanceof Error))
    return { exitCode: exitCodes.refused, code: 'failed', message: String(error), remedy: '' }
  const remedy = 'remedy' in error && typeof error.remedy === 'string' ? error.remedy : ''
  // By name and not by class: loading the rooms that declare them takes longer than most commands.
  if (error.name === 'ConfigError') {
    return { exitCode: exitCodes.usage, code: 'bad-config', message: error.message, remedy }
  }
  if (error.name === 'StartError') {
    return { exitCode: exitCodes.refused, code: 'cannot-start', message: error.message, remedy }
  }
  if (error.name === 'StoreInUse') {
    const advice = 'Stop it first, or give this server another data folder.'
    return { exitCode: exitCodes.tryLater, code: 'store-in-use', message: error.message, remedy: advice }
  }
  if (error.name.startsWith('Store')) {
    return { exitCode: exitCodes.tryLater, code: 'store-unavailable', message: error.message, remedy }
  }
  // Nothing we foresaw: whoever reports it needs to know where it was.
  return { exitCode: exitCodes.refused, code: 'failed', message: error.stack ?? error.message, remedy }
}
