import type { Command } from 'commander'
import type { Config } from '../base/config.ts'
import { CliError, exitCodes } from './cli-error.ts'
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
        const shown = { ...loaded, routes: Object.fromEntries(loaded.routes) }
        answer({ version: 1, file, warnings, config: shown }, () => explain(file, loaded, warnings))
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
  const lines = [
    `${file} can be used.`,
    `  calls itself    ${config.hostname}`,
    `  keeps mail in   ${config.data}`,
    ...Object.entries(config.listen).map(
      ([door, endpoints]) =>
        `  ${door.padEnd(14)}  ${endpoints.map(({ address, port }) => `${address}:${port}`).join(', ')}`,
    ),
    ...certificateLines(config.tls),
    `  passwords       ${config.auth.plaintext === 'never' ? 'over TLS only' : 'over TLS, and in the clear from this machine'}`,
    `  name servers    ${config.dns.servers === null ? 'those of the system' : config.dns.servers.map(({ address, port }) => `${address}:${port}`).join(', ')}`,
    ...Array.from(
      config.routes,
      ([domain, hop]) =>
        `  route           ${domain} to ${hop === 'discard' ? 'nowhere' : `${hop.address}:${hop.port}`}`,
    ),
    ...warnings.map((warning) => `  note            ${warning}`),
  ]
  return `${lines.join('\n')}\n`
}

function certificateLines({ certificates, clientCa }: Config['tls']): string[] {
  const lines = certificates.map(({ certificate }) => `  certificate     ${certificate}`)
  if (lines.length === 0) {
    lines.push('  certificate     made by itself: other servers will not trust it, but encrypt')
  }
  return clientCa === null ? lines : [...lines, `  people's CA     ${clientCa}`]
}
