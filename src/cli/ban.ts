import type { Command } from 'commander'
import type { Ban } from '../smtp/guard/bans.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { parseDuration } from './duration.ts'
import { type Reached, withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable, formatWhen, type Style } from './terminal.ts'

export function registerBan(program: Command): void {
  const ban = program.command('ban').description('addresses and networks that are not let in')
  ban
    .command('ls', { isDefault: true })
    .alias('list')
    .description('show who is banned, why and until when')
    .argument('[address]', 'only the ban that holds for this address')
    .action((address: string | undefined, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer, style }) => {
        const path = `/v1/bans${address === undefined ? '' : `?${new URLSearchParams({ ip: address })}`}`
        const bans = await withServer(flags, async ({ doors }) => {
          const all = doors.map((door) => door.call<{ bans: Ban[] }>('GET', path))
          return (await Promise.all(all)).flatMap((answered) => answered.bans)
        })
        answer({ version: 1, bans }, () =>
          bans.length === 0 && address !== undefined
            ? `${address} is not banned.\n`
            : formatBans(bans, Date.now(), style),
        )
      }),
    )
  ban
    .command('add')
    .description('ban an address or a network, for a while or until it is lifted')
    .argument('<address>', '192.0.2.1, 192.0.2.0/24 or 2001:db8::/48')
    .option('--for <time>', 'such as 12h or 7d')
    .option('--reason <text>', 'for those who look at the list')
    .action((address: string, _flags: unknown, command: Command) =>
      runCommand<{ for?: string; reason?: string }>(command, async ({ flags, answer }) => {
        const fields = {
          prefix: address,
          ...(flags.for === undefined ? {} : { forMs: parseDuration(flags.for) }),
          ...(flags.reason === undefined ? {} : { reason: flags.reason }),
        }
        const added = await withServer(flags, (reached) =>
          onlyServer(reached).call<Ban>('POST', '/v1/bans', fields),
        )
        const until =
          added.until === null
            ? 'it is lifted'
            : `${new Date(added.until).toISOString().slice(0, 16).replace('T', ' ')} UTC`
        answer(added, `${added.prefix} is banned until ${until}.\n`)
      }),
    )
  ban
    .command('lift')
    .alias('rm')
    .description('let an address or a network in again')
    .argument('<address>', 'as posthorn ban ls shows it')
    .action((address: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const path = `/v1/bans/${encodeURIComponent(address)}`
        const lifted = await withServer(flags, (reached) =>
          onlyServer(reached).call<{ prefix: string }>('DELETE', path),
        )
        answer(lifted, `${lifted.prefix} may come in again.\n`)
      }),
    )
}

function formatBans(bans: readonly Ban[], nowMs: number, style: Style): string {
  if (bans.length === 0) return 'Nobody is banned.\n'
  const rows = bans.map(({ prefix, reason, since, until }) => [
    ...[prefix, reason, formatWhen(since, nowMs), until === null ? 'for ever' : formatWhen(until, nowMs)],
  ])
  return formatTable(['ADDRESS', 'WHY', 'SINCE', 'UNTIL'], rows, style)
}

function onlyServer({ doors }: Reached) {
  const [only] = doors
  if (only !== undefined && doors.length === 1) return only
  const remedy = 'Name a server of your own: --config FILE.'
  throw new CliError(exitCodes.refused, 'In the Lab nobody is banned', remedy, { code: 'lab-bans' })
}
