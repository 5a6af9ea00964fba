import type { Command } from 'commander'
import { CliError, exitCodes } from './cli-error.ts'
import { doorFor, withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable, type Style } from './terminal.ts'

/** The option of each limit, and what it is called on the wire. */
const limits = {
  messagesPerHour: ['messages-per-hour', 'messages in an hour'],
  messagesPerDay: ['messages-per-day', 'messages in a day'],
  recipientsPerHour: ['recipients-per-hour', 'recipients in an hour'],
  recipientsPerDay: ['recipients-per-day', 'recipients in a day'],
  newRecipientsPerDay: ['new-recipients-per-day', 'recipients not written to before, in a day'],
} as const
type LimitName = keyof typeof limits
const names = Object.keys(limits) as LimitName[]

interface Sending {
  readonly address: string
  readonly stopped: boolean
  readonly limits: Readonly<Record<LimitName, number>>
  readonly own: readonly string[]
  readonly used: Readonly<Record<LimitName, number>>
}

type Flags = { readonly [name in LimitName]?: string } & {
  readonly stop?: boolean
  readonly resume?: boolean
  readonly default?: boolean
}

export function registerLimits(account: Command): void {
  const command = account
    .command('limits')
    .description('what an account may send, and has sent; with options: change it')
    .argument('<address>')
    .option('--stop', 'it sends nothing until --resume')
    .option('--resume', 'it may send again')
    .option('--default', 'as all accounts')
  for (const name of names) command.option(`--${limits[name][0]} <count>`, limits[name][1])
  command.action((address: string, _flags: unknown, self: Command) =>
    runCommand<Flags>(self, async ({ flags, answer, style }) => {
      const path = `/v1/sending/${encodeURIComponent(address)}`
      const fields = readFields(flags)
      const sending = await withServer(flags, async (reached) => {
        const door = doorFor(reached, address)
        if (flags.default === true) await door.call('DELETE', path)
        if (Object.keys(fields).length > 0) return door.call<Sending>('PUT', path, fields)
        return door.call<Sending>('GET', path)
      })
      answer({ version: 1, ...sending }, () => formatSending(sending, style))
    }),
  )
}

function readFields(flags: Flags): Record<string, number | boolean> {
  const fields: Record<string, number | boolean> = {}
  for (const name of names) {
    const text = flags[name]
    if (text === undefined) continue
    if (!/^\d{1,9}$/.test(text)) {
      const remedy = `Write --${limits[name][0]} 1000.`
      throw new CliError(exitCodes.usage, `"${text}" is no number`, remedy, { code: 'usage' })
    }
    fields[name] = Number(text)
  }
  if (flags.stop === true) fields['stopped'] = true
  if (flags.resume === true) fields['stopped'] = false
  return fields
}

function formatSending({ address, stopped, limits: bounds, own, used }: Sending, style: Style): string {
  const rows = names.map((name) => [
    limits[name][1],
    used[name],
    bounds[name],
    own.includes(name) ? 'its own' : '',
  ])
  const table = formatTable(['', 'USED', 'LIMIT', ''], rows, style)
  return stopped ? `${address} may not send: posthorn account limits ${address} --resume\n${table}` : table
}
