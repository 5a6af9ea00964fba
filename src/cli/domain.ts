import type { Command } from 'commander'
import { registerDomainKeys } from './domain-keys.ts'
import { onlyServer } from './only-server.ts'
import { withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable } from './terminal.ts'

export function registerDomain(program: Command): void {
  const domain = program.command('domain').description('the domains this server takes mail for')
  domain
    .command('add')
    .description('take mail for a domain; postmaster@ and abuse@ come with its first account')
    .argument('<domain>')
    .action((name: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const added = await withServer(flags, (reached) =>
          onlyServer(reached).call<{ domain: string }>('POST', '/v1/domains', { domain: name }),
        )
        const { domain: made } = added
        const next = `Next: posthorn account add NAME@${made}\nRecords for DNS: posthorn domain dns ${made}\n`
        answer(added, `Added ${made}. ${next}`)
      }),
    )
  domain
    .command('list')
    .alias('ls')
    .description('show the domains')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer, style }) => {
        const domains = await withServer(flags, async ({ doors }) => {
          const all = doors.map((door) => door.call<{ domains: string[] }>('GET', '/v1/domains'))
          return (await Promise.all(all)).flatMap((answered) => answered.domains)
        })
        const rows = domains.map((name) => [name])
        const empty = 'No domains yet. Add the first one: posthorn domain add DOMAIN\n'
        answer({ version: 1, domains }, domains.length === 0 ? empty : formatTable(['DOMAIN'], rows, style))
      }),
    )
  domain
    .command('remove')
    .alias('rm')
    .description('take no more mail for a domain; it must have no accounts or aliases')
    .argument('<domain>')
    .action((name: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const path = `/v1/domains/${encodeURIComponent(name)}`
        const removed = await withServer(flags, (reached) =>
          onlyServer(reached).call<{ domain: string }>('DELETE', path),
        )
        answer(removed, `Removed ${removed.domain}.\n`)
      }),
    )
  registerDomainKeys(domain)
}
