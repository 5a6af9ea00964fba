import type { Command } from 'commander'
import type { AdminDoor } from './admin-door.ts'
import { formatOctets } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { doorFor, withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable, formatWhen, note, type Style } from './terminal.ts'

interface Flags {
  readonly list?: boolean
  readonly since?: string
  readonly mailbox?: string
  readonly all?: boolean
}

interface ShownMessage {
  readonly id: string
  readonly mailbox: string
  readonly mailboxGone: boolean
  readonly expungedAt: number
  readonly octets: number
  readonly from?: string | null
  readonly subject?: string | null
}

interface Undeleted {
  readonly from: string
  readonly to: string
}

/** Lines of a list; --json has all of them. */
const linesMax = 1_000
/** Messages of one request. */
const idsAtOnce = 1_000

export function registerUndelete(program: Command): void {
  program
    .command('undelete')
    .description('put messages back that were expunged, while that is possible (7 days, limits.undelete_ms)')
    .argument('<address>', 'whose')
    .argument('[ids...]', 'which, as --list shows them')
    .option('--list', 'show what can be put back, and do nothing')
    .option('--since <when>', 'what was expunged since then: 2h, 3d, or 2026-11-23T10:00')
    .option('--mailbox <name>', 'what was in that mailbox')
    .option('--all', 'everything there is')
    .addHelpText(
      'after',
      '\nMessages go back to their mailbox, or to INBOX when it has gone and none has its name, with new UIDs.',
    )
    .action((address: string, ids: string[], _flags: unknown, command: Command) =>
      runCommand<Flags>(command, async ({ flags, answer, style }) => {
        const path = `/v1/undelete/${encodeURIComponent(address)}`
        if (flags.list === true) {
          const messages = await withServer(flags, (reached) =>
            listMessages(doorFor(reached, address), path, flags, true),
          )
          answer({ version: 1, messages }, () => formatMessages(messages, style))
          return
        }
        const chosen = ids.length > 0 ? 1 : 0
        const described = [flags.since, flags.mailbox, flags.all].some((one) => one !== undefined) ? 1 : 0
        if (chosen + described !== 1) {
          const remedy = 'Give ids, or --since and --mailbox, or --all; --list shows what there is.'
          throw new CliError(exitCodes.usage, 'Say which messages to put back', remedy, { code: 'usage' })
        }
        const undeleted = await withServer(flags, async (reached) => {
          const door = doorFor(reached, address)
          const which =
            chosen === 1 ? ids : (await listMessages(door, path, flags, false)).map(({ id }) => id)
          return putBack(door, path, which)
        })
        if (undeleted.length === 0) {
          const remedy = `posthorn undelete ${address} --list shows what there is.`
          throw new CliError(exitCodes.notFound, 'Nothing to put back', remedy, { code: 'nothing' })
        }
        answer({ version: 1, undeleted }, `Put back ${undeleted.length} messages.\n`)
      }),
    )
}

async function listMessages(
  door: AdminDoor,
  path: string,
  flags: Flags,
  headers: boolean,
): Promise<ShownMessage[]> {
  const query = new URLSearchParams()
  if (flags.since !== undefined) query.set('since', String(parseWhen(flags.since, Date.now())))
  if (flags.mailbox !== undefined) query.set('mailbox', flags.mailbox)
  if (headers) {
    query.set('headers', '1')
    query.set('limit', String(linesMax))
  }
  return (await door.call<{ messages: ShownMessage[] }>('GET', `${path}?${query}`)).messages
}

/** The oldest first, so that they get their UIDs in the order in which they were expunged. */
async function putBack(door: AdminDoor, path: string, ids: readonly string[]): Promise<Undeleted[]> {
  const all: Undeleted[] = []
  const oldestFirst = [...ids].reverse()
  for (let at = 0; at < oldestFirst.length; at += idsAtOnce) {
    const messages = oldestFirst.slice(at, at + idsAtOnce)
    const { undeleted } = await door.call<{ undeleted: Undeleted[] }>('POST', path, { messages })
    all.push(...undeleted)
    if (process.stderr.isTTY && ids.length > idsAtOnce) note(`\r${all.length} of ${ids.length}`)
  }
  if (process.stderr.isTTY && ids.length > idsAtOnce) note('\r\x1b[K')
  return all
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30m`, `2h`, `3d` ago, or a date. @throws {CliError} */
export function parseWhen(text: string, nowMs: number): number {
  const ago = /^(\d{1,6})([mhd])$/.exec(text)
  if (ago !== null) return Math.max(0, nowMs - Number(ago[1]) * units[ago[2]!]!)
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at) && at >= 0) return at
  throw new CliError(exitCodes.usage, `"${text}" is no time`, 'Write 30m, 2h, 3d, or 2026-11-23T10:00.', {
    code: 'usage',
  })
}

function formatMessages(messages: readonly ShownMessage[], style: Style): string {
  if (messages.length === 0) return 'There is nothing that could be put back.\n'
  const now = Date.now()
  const rows = messages.map((one) => [
    one.id,
    formatWhen(one.expungedAt, now),
    one.mailboxGone ? `${one.mailbox} (gone)` : one.mailbox,
    formatOctets(one.octets),
    one.from ?? '',
    one.subject ?? '',
  ])
  const table = formatTable(['ID', 'EXPUNGED', 'MAILBOX', 'SIZE', 'FROM', 'SUBJECT'], rows, style)
  return messages.length < linesMax ? table : `${table}The newest ${linesMax}; there may be more.\n`
}
