import type { Command } from 'commander'
import { shownName } from '../store/address.ts'
import { doorFor, withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable } from './terminal.ts'

interface Alias {
  readonly address: string
  readonly targets: readonly string[]
}

export function registerAlias(program: Command): void {
  const alias = program.command('alias').description('addresses that lead to other addresses')
  alias
    .command('add')
    .description('let an address lead to one or more others, here or elsewhere')
    .argument('<address>')
    .argument('<target...>')
    .action((address: string, targets: string[], _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const added = await withServer(flags, (reached) =>
          doorFor(reached, address).call<Alias>('POST', '/v1/aliases', { address, targets }),
        )
        answer(added, `${shownName(added.address)} leads to ${added.targets.join(', ')}.\n`)
      }),
    )
  alias
    .command('list')
    .alias('ls')
    .description('show the aliases')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer, style }) => {
        const aliases = await withServer(flags, async ({ doors }) => {
          const all = doors.map((door) => door.call<{ aliases: Alias[] }>('GET', '/v1/aliases'))
          return (await Promise.all(all)).flatMap((answered) => answered.aliases)
        })
        const rows = aliases.map(({ address, targets }) => [
          shownName(address),
          targets.map(shownName).join(', '),
        ])
        const empty = 'No aliases yet. Add one: posthorn alias add ADDRESS TARGET\n'
        const text = aliases.length === 0 ? empty : formatTable(['ALIAS', 'LEADS TO'], rows, style)
        answer({ version: 1, aliases }, text)
      }),
    )
  alias
    .command('remove')
    .alias('rm')
    .description('forget an alias')
    .argument('<address>')
    .action((address: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const path = `/v1/aliases/${encodeURIComponent(address)}`
        const removed = await withServer(flags, (reached) =>
          doorFor(reached, address).call<{ address: string }>('DELETE', path),
        )
        answer(removed, `Removed the alias ${shownName(removed.address)}.\n`)
      }),
    )
}
