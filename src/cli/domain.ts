import type { Command } from 'commander'
import { shownName } from '../store/address.ts'
import { registerDomainKeys } from './domain-keys.ts'
import { onlyServer } from './only-server.ts'
import { withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable } from './terminal.ts'

interface AddFlags {
  backup?: boolean
  primary?: string
}

interface Listed {
  readonly domains: string[]
  readonly backups: readonly { readonly domain: string; readonly primary: string | null }[]
}

export function registerDomain(program: Command): void {
  const domain = program.command('domain').description('the domains this server takes mail for')
  domain
    .command('add')
    .description('take mail for a domain; postmaster@ and abuse@ come with its first account')
    .argument('<domain>')
    .option(
      '--backup',
      'of others: mail for it is kept, and passed on to its own servers as soon as they take it',
    )
    .option('--primary <host>', 'with --backup: pass it on to this host instead of the domain’s MX')
    .action((name: string, _flags: unknown, command: Command) =>
      runCommand<AddFlags>(command, async ({ flags, answer }) => {
        if (flags.backup === true || flags.primary !== undefined) {
          const body = { domain: name, backup: true, primary: flags.primary ?? null }
          const backup = await withServer(flags, (reached) =>
            onlyServer(reached).call<{ domain: string }>('POST', '/v1/domains', body),
          )
          const record = `Its DNS needs an MX record for this server with a higher number than its own.\n`
          answer(backup, `Mail for ${shownName(backup.domain)} is kept and passed on. ${record}`)
          return
        }
        const added = await withServer(flags, (reached) =>
          onlyServer(reached).call<{ domain: string }>('POST', '/v1/domains', { domain: name }),
        )
        const made = shownName(added.domain)
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
        const listed = await withServer(flags, ({ doors }) =>
          Promise.all(doors.map((door) => door.call<Listed>('GET', '/v1/domains'))),
        )
        const domains = listed.flatMap((answered) => answered.domains)
        const backups = listed.flatMap((answered) => answered.backups)
        const rows = [
          ...domains.map((name) => [shownName(name), '']),
          ...backups.map(({ domain: name, primary }) => [
            shownName(name),
            `backup for ${primary ?? 'its MX'}`,
          ]),
        ]
        const empty = 'No domains yet. Add the first one: posthorn domain add DOMAIN\n'
        answer(
          { version: 1, domains, backups },
          rows.length === 0 ? empty : formatTable(['DOMAIN', ''], rows, style),
        )
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
        answer(removed, `Removed ${shownName(removed.domain)}.\n`)
      }),
    )
  registerDomainKeys(domain)
}
