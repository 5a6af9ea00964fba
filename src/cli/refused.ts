import type { Command } from 'commander'
import type { Journey } from '../journey/event.ts'
import { withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { formatTable, formatWhen, type Style } from './terminal.ts'

interface RefusedFlags {
  readonly from?: string
  readonly to?: string
  readonly ip?: string
  readonly limit: string
}

/** One refusal, or many of a kind. */
interface Refusal {
  readonly at: number
  readonly journeyId: string
  readonly remoteAddress: string
  readonly reversePath: string | null
  /** Who was refused; where the whole message was, everybody it was for. */
  readonly recipient: string | null
  readonly stage: string
  readonly reply: string
  readonly count: number
}

export function registerRefused(program: Command): void {
  const refused = program.command('refused').description('mail and connections that were not taken, and why')
  refused
    .command('ls', { isDefault: true })
    .alias('list')
    .description('show the newest; posthorn way ID shows the whole conversation')
    .option('--from <address>', 'by the sender that was said')
    .option('--to <address>', 'by a recipient')
    .option('--ip <address>', 'by the address it came from')
    .option('-n, --limit <count>', 'conversations at most', '50')
    .action((_flags: unknown, command: Command) =>
      runCommand<RefusedFlags>(command, async ({ flags, answer, style }) => {
        const query = new URLSearchParams({ refused: '1', limit: flags.limit })
        if (flags.from !== undefined) query.set('from', flags.from)
        if (flags.to !== undefined) query.set('rcpt', flags.to)
        if (flags.ip !== undefined) query.set('ip', flags.ip)
        const journeys = await withServer(flags, async ({ doors }) => {
          const path = `/v1/journeys?${query}`
          const all = doors.map((door) => door.call<{ journeys: Journey[] }>('GET', path))
          return (await Promise.all(all)).flatMap((answered) => answered.journeys)
        })
        const refusals = journeys.flatMap(refusalsOf).sort((a, b) => b.at - a.at)
        answer({ version: 1, refusals }, () => formatRefusals(refusals, Date.now(), style))
      }),
    )
}

export function refusalsOf({ journeyId, startedAt, facts, events }: Journey): Refusal[] {
  const common = { journeyId, remoteAddress: facts.remoteAddress ?? '', count: facts.count ?? 1 }
  const everybody = facts.recipients?.length ? facts.recipients.join(', ') : null
  const found = events
    .filter(({ kind }) => kind === 'refuse')
    .map(({ at, branch, data }) => ({
      ...common,
      at,
      reversePath: typeof data['reversePath'] === 'string' ? data['reversePath'] : null,
      recipient: branch ?? (data['stage'] === 'login' ? null : everybody),
      stage: String(data['stage'] ?? 'end'),
      reply: String(data['text'] ?? data['reason'] ?? ''),
    }))
  if (found.length > 0) return found
  // With journey.level = "facts" no more is known.
  const reversePath = facts.reversePath ?? null
  return [
    { ...common, at: startedAt, reversePath, recipient: facts.refused?.[0] ?? null, stage: '', reply: '' },
  ]
}

function formatRefusals(refusals: readonly Refusal[], nowMs: number, style: Style): string {
  if (refusals.length === 0) return 'Nothing was refused.\n'
  const rows = refusals.map((refusal) => [
    refusal.journeyId,
    formatWhen(refusal.at, nowMs),
    refusal.remoteAddress,
    refusal.count,
    refusal.reversePath === '' ? '<>' : (refusal.reversePath ?? ''),
    refusal.recipient ?? '',
    refusal.stage,
    refusal.reply,
  ])
  return formatTable(['ID', 'WHEN', 'FROM IP', 'TIMES', 'FROM', 'TO', 'AT', 'ANSWER'], rows, style)
}
