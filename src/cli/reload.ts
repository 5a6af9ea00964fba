import type { Command } from 'commander'
import type { Reloaded } from '../daemon/reload-config.ts'
import { runCommand } from './run-command.ts'
import { withServer } from './reach.ts'

export function registerReload(program: Command): void {
  program
    .command('reload')
    .description('the running server reads its configuration and certificates anew, and says what changed')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, ({ flags, answer }) =>
        withServer(flags, async ({ doors }) => {
          const reloaded = await doors[0]!.call<Reloaded>('POST', '/v1/reload')
          answer({ version: 1, ...reloaded }, () => explain(reloaded))
        }),
      ),
    )
}

function explain({ changed, needsRestart }: Reloaded): string {
  const lines =
    changed.length === 0 ? ['Nothing else is in force.'] : changed.map((name) => `  in force now     ${name}`)
  return `${[...lines, ...needsRestart.map((name) => `  needs a restart  ${name}`)].join('\n')}\n`
}
