import type { Command } from 'commander'
import { listedMessage } from './listing.ts'
import { type AgentFlags, withAgent } from './run.ts'

export function registerRm(program: Command): void {
  program
    .command('rm')
    .description('move messages to Trash; from Trash, remove them for good')
    .argument('<number...>', 'numbers of the last listing')
    .action((numbers: string[], _flags: unknown, command: Command) =>
      withAgent<AgentFlags>(command, async ({ agent, login, flags, print }) => {
        // All numbers are looked up first, so that a wrong one removes nothing.
        const keys = numbers.map((number) => listedMessage(login.address, number))
        const removed: { number: number; movedTo: string | null }[] = []
        for (const [index, key] of keys.entries()) {
          const movedTo = await agent.remove(key)
          removed.push({ number: Number(numbers[index]), movedTo })
          if (flags.json !== true) {
            print(
              movedTo === null
                ? `${numbers[index]} removed for good`
                : `${numbers[index]} moved to ${movedTo}`,
            )
          }
        }
        if (flags.json === true) print(JSON.stringify({ version: 1, removed }))
      }),
    )
}
