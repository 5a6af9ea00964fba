import type { Command } from 'commander'
import type { AdminDoor } from './admin-door.ts'
import type { Way } from './way/merge.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { withServer } from './reach.ts'
import { runCommand } from './run-command.ts'
import { print } from './terminal.ts'
import { formatWay } from './way/format.ts'
import { gatherWay, readQuery, type WayQuery } from './way/gather.ts'
import { followWay } from './way/live.ts'
import { mergeWay } from './way/merge.ts'

interface WayFlags {
  readonly to?: string
  readonly queue?: string
  readonly wire?: boolean
  readonly live?: boolean
}

const liveMs = 600_000

export function registerWay(program: Command): void {
  program
    .command('way')
    .description('show a message’s way, step by step: the newest one, or the one that is named')
    .argument('[message]', 'last, a journey id, a Message-ID or a queue id', 'last')
    .option('--to <address>', 'the newest to this recipient')
    .option('--queue <id>', 'by its queue id')
    .option('--wire', 'every line that was spoken')
    .option('--live', 'go on until it has arrived')
    .action((message: string, _flags: unknown, command: Command) =>
      runCommand<WayFlags>(command, async ({ flags, answer, style }) => {
        const queries = queriesOf(message, flags)
        const way = await withServer(flags, async ({ doors }) => {
          const found = await findWay(doors, queries)
          if (flags.live !== true || flags.json === true) return found
          return followWay({
            look: () => findWay(doors, found === null ? queries : [{ id: found.journeys[0]!.journeyId }]),
            show: (line) => print(`${line}\n`),
            style,
            wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
            timeoutMs: liveMs,
          })
        })
        if (way === null) throw nothingFound(message, flags)
        if (flags.live !== true || flags.json === true)
          answer(way, () => formatWay(way, style, flags.wire === true))
        else print(`\n${formatWay(way, style, flags.wire === true)}`)
      }),
    )
}

function queriesOf(message: string, flags: WayFlags): WayQuery[] {
  if (flags.to !== undefined) return [{ rcpt: flags.to }]
  if (flags.queue !== undefined) return [{ queueId: flags.queue }]
  return readQuery(message)
}

/** The merged way of the newest message that one of the queries finds; null when none does. */
export async function findWay(
  doors: readonly AdminDoor[],
  queries: readonly WayQuery[],
): Promise<Way | null> {
  for (const query of queries) {
    const seen = await gatherWay(doors, query)
    if (seen.length > 0) return mergeWay(seen)
  }
  return null
}

function nothingFound(message: string, flags: WayFlags): CliError {
  const named = flags.to ?? flags.queue ?? message
  if (named === 'last') {
    const remedy = 'Send one: posthorn send --to NAME@DOMAIN -s SUBJECT -m TEXT.'
    return new CliError(exitCodes.notFound, 'No message has come this way yet', remedy, {
      code: 'no-journey',
    })
  }
  const remedy = 'posthorn way shows the newest; facts are kept for 90 days.'
  return new CliError(exitCodes.notFound, `Nothing is known of ${named}`, remedy, { code: 'no-journey' })
}
