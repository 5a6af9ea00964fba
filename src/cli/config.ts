import type { Command } from 'commander'
import type { Config } from '../base/config.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { configLines } from './config-lines.ts'
import { defaultConfigFile, findConfigFile } from './reach.ts'
import { runCommand } from './run-command.ts'

export function registerConfig(program: Command): void {
  const config = program.command('config').description('the configuration file')
  config
    .command('check')
    .description('say what the file means, or what is wrong with it and where')
    .argument('[file]')
    .action((named: string | undefined, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const file = requireConfigFile(named === undefined ? flags : { config: named })
        const { loadConfig } = await import('../daemon/load-config.ts')
        const { config: loaded, warnings } = await loadConfig(file)
        await checkCertificates(loaded)
        answer({ version: 1, file, warnings, config: plain(loaded) }, () => explain(file, loaded, warnings))
      }),
    )
}

/** @throws {CliError} There is none. */
export function requireConfigFile(flags: { readonly config?: string }): string {
  const file = findConfigFile(flags)
  if (file !== null) return file
  const remedy = 'Name one with --config FILE; docs/operating.md shows what to write into it.'
  throw new CliError(exitCodes.notFound, `There is no ${defaultConfigFile} in this folder`, remedy, {
    code: 'no-config',
  })
}

function explain(file: string, config: Config, warnings: readonly string[]): string {
  const notes = warnings.map((warning) => `  note            ${warning}`)
  return `${[`${file} can be used.`, ...configLines(config), ...notes].join('\n')}\n`
}

/** JSON has no maps. */
function plain(config: Config): object {
  const guards = { ...config.guards, sizes: Object.fromEntries(config.guards.sizes) }
  return { ...config, routes: Object.fromEntries(config.routes), guards }
}

/** Files that the configuration names have to be there; whether the server may read them is its user's matter. */
async function checkCertificates(config: Config): Promise<void> {
  const { readCertificates } = await import('../daemon/certificates.ts')
  const { createServerTls } = await import('../tls/server-tls.ts')
  try {
    const found = await readCertificates(config)
    if (found.certificates.length > 0) createServerTls(found)
  } catch (error) {
    const { message, cause } = error as Error
    const code = (cause as NodeJS.ErrnoException | undefined)?.code
    if (code === 'EACCES' || code === 'EPERM') return
    const remedy = 'Look at [tls]: each certificate needs its own key, both as PEM files.'
    throw new CliError(exitCodes.usage, message, remedy, { code: 'bad-config', cause: error })
  }
}
