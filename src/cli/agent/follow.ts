import type { AgentFlags } from './run.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { withServer } from '../reach.ts'
import { styleFor } from '../terminal.ts'
import { gatherWay } from '../way/gather.ts'
import { followWay } from '../way/live.ts'
import { mergeWay, type Way } from '../way/merge.ts'

/** How long `--follow` watches; a letter that waits for a later attempt is not waited for. */
const followMs = 30_000

interface FollowFlags extends AgentFlags {
  config?: string
}

/**
 * Watches a message that was just handed in, until it has arrived, was refused, or waits.
 *
 * @param messageId With its angle brackets.
 * @throws {CliError} The server it was handed to keeps no journeys that we may see.
 */
export async function followMessage(
  messageId: string,
  flags: FollowFlags,
  print: (line: string) => void,
): Promise<void> {
  const json = flags.json === true
  const way = await withServer(flags.config === undefined ? {} : { config: flags.config }, ({ doors }) =>
    followWay({
      look: async (): Promise<Way | null> => {
        const seen = await gatherWay(doors, { messageId })
        return seen.length === 0 ? null : mergeWay(seen)
      },
      show: json ? () => {} : print,
      style: styleFor(process.stdout),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      timeoutMs: followMs,
    }),
  )
  if (way === null) {
    const text = 'The letter was handed in, but no server here knows its way'
    throw new CliError(
      exitCodes.notFound,
      text,
      'Journeys are seen on the server itself: run the command there.',
    )
  }
  if (json) print(JSON.stringify(way))
  if (way.state === 'refused') process.exitCode = exitCodes.refused
  else if (way.state === 'retrying' || way.state === 'queued') process.exitCode = exitCodes.tryLater
}
