import type { Command } from 'commander'
import { shownName } from '../store/address.ts'
import { addAccountsFrom } from './account-file.ts'
import { formatOctets } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { confirm, readNewPassword } from './password.ts'
import { doorFor, withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { registerLimits } from './account-limits.ts'
import { registerQuota } from './account-quota.ts'
import { formatTable } from './terminal.ts'

interface ShownAccount {
  readonly address: string
  readonly usedOctets: number
  readonly usedMessages: number
  readonly quotaOctets: number | null
  readonly canLogIn: boolean
}

export function registerAccount(program: Command): void {
  const account = program.command('account').description('people with a mailbox here')
  registerAdd(account)
  registerList(account)
  registerRemove(account)
  registerRestoreAccount(account)
  registerQuota(account)
  registerLimits(account)
  account
    .command('password')
    .description('give an account another password, read from standard input')
    .argument('<address>')
    .action((address: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const changed = await withServer(flags, async (reached) => {
          const door = doorFor(reached, address)
          const path = accountPath(address)
          // Nobody should type a password twice to hear that there is no such account.
          await door.call('GET', path)
          const password = await readNewPassword(address)
          return door.call<{ address: string }>('PUT', `${path}/password`, { password })
        })
        answer(changed, `The password of ${shownName(changed.address)} is changed.\n`)
      }),
    )
}

function registerAdd(account: Command): void {
  account
    .command('add')
    .description('add one account, its password read from standard input, or many from a file')
    .argument('[address]')
    .option(
      '--from <file>',
      'a line for each: address, tab, password (or $argon2id$… hash); - is standard input',
    )
    .option('--skip-existing', 'with --from: pass over accounts that are there already')
    .action((address: string | undefined, _flags: unknown, command: Command) =>
      runCommand<{ from?: string; skipExisting?: boolean }>(command, async ({ flags, answer }) => {
        if ((address === undefined) === (flags.from === undefined)) {
          const remedy = 'Write posthorn account add NAME@DOMAIN, or posthorn account add --from FILE.'
          throw new CliError(exitCodes.usage, 'Give either an address or --from', remedy, { code: 'usage' })
        }
        if (address === undefined) {
          const result = await withServer(flags, (reached) => addAccountsFrom(reached, flags.from!, flags))
          const skipped =
            result.skipped === 0 ? '' : `, passed over ${result.skipped} that were there already`
          answer(result, `Added ${result.added} accounts${skipped}.\n`)
          return
        }
        const added = await withServer(flags, async (reached) => {
          const door = doorFor(reached, address)
          const password = await readNewPassword(address)
          return door.call<ShownAccount>('POST', '/v1/accounts', { address, password })
        })
        answer(added, `Added ${shownName(added.address)}.\n`)
      }),
    )
}

function registerList(account: Command): void {
  account
    .command('list')
    .alias('ls')
    .description('show the accounts and what they hold')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer, style }) => {
        const accounts = await withServer(flags, async ({ doors }) => {
          const all = doors.map((door) => door.call<{ accounts: ShownAccount[] }>('GET', '/v1/accounts'))
          return (await Promise.all(all)).flatMap((answered) => answered.accounts)
        })
        answer({ version: 1, accounts }, () => {
          if (accounts.length === 0) return 'No accounts yet. Add one: posthorn account add NAME@DOMAIN\n'
          const rows = accounts.map((one) => [
            shownName(one.address),
            one.usedMessages,
            formatOctets(one.usedOctets),
            one.quotaOctets === null ? '-' : formatOctets(one.quotaOctets),
            one.canLogIn ? '' : 'no log-in',
          ])
          return formatTable(['ACCOUNT', 'MESSAGES', 'SIZE', 'QUOTA', ''], rows, style)
        })
      }),
    )
}

function registerRemove(account: Command): void {
  account
    .command('remove')
    .alias('rm')
    .description('remove an account and all its mail; account restore brings it back for a week')
    .argument('<address>')
    .option('--yes', 'do not ask')
    .action((address: string, _flags: unknown, command: Command) =>
      runCommand<{ yes?: boolean }>(command, async ({ flags, answer }) => {
        const removed = await withServer(flags, async (reached) => {
          const door = doorFor(reached, address)
          const found = await door.call<ShownAccount>('GET', accountPath(address))
          const question = `Remove ${shownName(found.address)} and its ${found.usedMessages} messages?`
          if (flags.yes !== true && !(await confirm(question))) {
            throw new CliError(exitCodes.usage, 'Nothing was removed', 'Say --yes to remove it.', {
              code: 'not-confirmed',
            })
          }
          return door.call<{ address: string }>('DELETE', accountPath(address))
        })
        answer(
          removed,
          `Removed ${shownName(removed.address)} and its mail. For a week posthorn account restore brings both back.\n`,
        )
      }),
    )
}

function registerRestoreAccount(account: Command): void {
  account
    .command('restore')
    .description('bring back an account that was removed, with its mail and its password')
    .argument('<address>')
    .action((address: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const restored = await withServer(flags, (reached) =>
          doorFor(reached, address).call<{ address: string; usedMessages: number }>(
            'POST',
            `/v1/undelete/${encodeURIComponent(address)}/account`,
          ),
        )
        answer(restored, `${shownName(restored.address)} is back with ${restored.usedMessages} messages.\n`)
      }),
    )
}

function accountPath(address: string): string {
  return `/v1/accounts/${encodeURIComponent(address)}`
}
