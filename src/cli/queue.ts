import type { Command } from 'commander'
import type { AdminDoor } from './admin-door.ts'
import { formatOctets } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable, formatWhen, type Style } from './terminal.ts'

interface ShownEntry {
  readonly queueId: number
  readonly reversePath: string
  readonly domain: string
  readonly recipients: readonly {
    readonly forwardPath: string
    readonly state: string
    readonly lastReply: string | null
  }[]
  readonly octets: number
  readonly createdAt: number
  readonly nextAttemptAt: number
  readonly attempts: number
  readonly leasedUntil: number | null
  /** Added here: which of several servers. */
  readonly server?: string
}

export function registerQueue(program: Command): void {
  const queue = program.command('queue').description('mail on its way out')
  queue
    .command('ls', { isDefault: true })
    .alias('list')
    .description('show what waits, oldest first')
    .option('-n, --limit <count>', 'messages at most', '1000')
    .action((_flags: unknown, command: Command) =>
      runCommand<{ limit: string }>(command, async ({ flags, answer, style }) => {
        const path = `/v1/queue?limit=${encodeURIComponent(flags.limit)}`
        const entries = await withServer(flags, async ({ doors }) => {
          const all = doors.map(async (door) => {
            const answered = await door.call<{ entries: ShownEntry[] }>('GET', path)
            return door.name === ''
              ? answered.entries
              : answered.entries.map((one) => ({ ...one, server: door.name }))
          })
          return (await Promise.all(all)).flat()
        })
        answer({ version: 1, entries }, () => formatQueue(entries, Date.now(), style))
      }),
    )
  queue
    .command('retry')
    .description('try a message again now, or all of them')
    .argument('[id]')
    .action((id: string | undefined, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const retried = await withServer(flags, async ({ doors }) => {
          if (id !== undefined) return atOne(doors, 'POST', `/v1/queue/${encodeURIComponent(id)}/retry`)
          const all = doors.map((door) => door.call<{ retried: number }>('POST', '/v1/queue/retry'))
          return { retried: (await Promise.all(all)).reduce((sum, one) => sum + one.retried, 0) }
        })
        const { retried: count } = retried as { retried: number }
        answer(
          retried,
          count === 0 ? 'The queue is empty: nothing to try.\n' : `Trying ${count} again now.\n`,
        )
      }),
    )
  queue
    .command('drop')
    .description('take a message out of the queue; nobody is told')
    .argument('<id>')
    .action((id: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const path = `/v1/queue/${encodeURIComponent(id)}`
        const dropped = await withServer(flags, ({ doors }) => atOne(doors, 'DELETE', path))
        answer(dropped, `Dropped message ${id}. Its sender gets no report.\n`)
      }),
    )
}

/** Asks one server after the other until one has it. */
async function atOne(doors: readonly AdminDoor[], method: 'POST' | 'DELETE', path: string): Promise<unknown> {
  let unknown: unknown = null
  for (const door of doors) {
    try {
      return await door.call(method, path)
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== exitCodes.notFound) throw error
      unknown = error
    }
  }
  throw unknown
}

function formatQueue(entries: readonly ShownEntry[], nowMs: number, style: Style): string {
  if (entries.length === 0) return 'The queue is empty: everything has left.\n'
  const several = entries.some(({ server }) => server !== undefined)
  const rows = entries.map((entry) => {
    const waiting = entry.recipients.filter(({ state }) => state === 'waiting')
    const next =
      entry.leasedUntil !== null && entry.leasedUntil > nowMs
        ? 'being tried'
        : formatWhen(entry.nextAttemptAt, nowMs)
    return [
      entry.queueId,
      ...(several ? [entry.server ?? ''] : []),
      entry.reversePath === '' ? '<>' : entry.reversePath,
      waiting.length === 1 ? waiting[0]!.forwardPath : `${waiting.length} at ${entry.domain}`,
      formatOctets(entry.octets),
      entry.attempts,
      next,
      waiting.find(({ lastReply }) => lastReply !== null)?.lastReply ?? '',
    ]
  })
  const headings = [
    'ID',
    ...(several ? ['SERVER'] : []),
    'FROM',
    'TO',
    'SIZE',
    'TRIES',
    'NEXT TRY',
    'LAST ANSWER',
  ]
  return formatTable(headings, rows, style)
}
