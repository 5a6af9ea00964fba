import type { Command } from 'commander'
import type { Lab } from '../lab/start-lab.ts'
import type { Scene } from '../lab/scene.ts'
import { reachLab } from './reach.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { commandName } from './command-name.ts'
import { runCommand } from './run-command.ts'
import { doorLines } from './serve.ts'
import { stopOnSignals } from './stop-on-signals.ts'
import { note, print, type Style, styleFor } from './terminal.ts'

/** The Lab's sessions are its user's own, who wants it gone. */
const graceMs = 2_000

interface LabFlags {
  readonly scene: string
  readonly ports?: string
  readonly data?: string
  readonly reset?: boolean
  readonly verbose?: boolean
}

export function registerLab(program: Command): void {
  const lab = program
    .command('lab')
    .description('run two mail servers and their DNS on this machine only, to see how mail travels')
    .option('--scene <scene>', 'today (TLS, trust) or lecture (the words of the slide)', 'today')
    .option('--ports <base>', 'consecutive ports from here on; 0 takes any that are free')
    .option('--data <folder>', 'keep the mail there; otherwise it is thrown away at the end')
    .option('--reset', 'with --data: begin with the two letters of the lecture in Bob’s mailbox')
    .option('-v, --verbose', 'show what the servers log')
    .action((_flags: unknown, command: Command) =>
      runCommand<LabFlags>(command, async ({ flags }) => runLab(flags, flags.json === true)),
    )
  lab
    .command('reset')
    .description('put the two letters of 498 and 912 octets back into Bob’s mailbox, and nothing else')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, async ({ answer }) => {
        await askLab('/v1/lab/reset')
        answer({ reset: true }, 'Bob’s mailbox holds two letters, of 498 and 912 octets.\n')
      }),
    )
  lab
    .command('stop')
    .description('end the Lab that is running')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, async ({ answer }) => {
        await askLab('/v1/lab/stop')
        answer({ stopping: true }, 'The Lab is stopping.\n')
      }),
    )
}

async function askLab(path: string): Promise<void> {
  const reached = await reachLab()
  if (reached?.itself !== undefined) {
    await reached.itself.call('POST', path)
    return
  }
  throw new CliError(exitCodes.notFound, 'No Lab is running', 'Start it: posthorn lab.', {
    code: 'no-server',
  })
}

async function runLab(flags: LabFlags, json: boolean): Promise<void> {
  const scene = readScene(flags.scene)
  const basePort = await readBasePort(flags.ports)
  const { createLog } = await import('../base/log.ts')
  const { systemClock } = await import('../base/clock.ts')
  const { systemRandom } = await import('../base/random.ts')
  const { startLab } = await import('../lab/start-lab.ts')
  const { StartError } = await import('../daemon/start-error.ts')
  const log = createLog(note, flags.verbose === true ? 'debug' : 'error', systemClock.now)
  const stopping = stopOnSignals()
  const options = {
    surroundings: { clock: systemClock, random: systemRandom, log },
    scene,
    folder: flags.data ?? null,
    reset: flags.reset === true,
    stop: stopping.stop,
  }
  const lab = await startLab({ ...options, basePort }).catch((error: unknown) => {
    // Somebody took a port between our looking and our opening it: then any will do.
    if (!(error instanceof StartError) || !/in use already/.test(error.message)) throw error
    return startLab({ ...options, basePort: 0 })
  })
  if (json) print(`${JSON.stringify(lab.line)}\n`)
  else print(welcome(lab, flags.data !== undefined, styleFor(process.stdout)))
  await stopping.wait()
  await lab.close(graceMs)
}

function readScene(text: string): Scene {
  if (text === 'today' || text === 'lecture') return text
  throw new CliError(
    exitCodes.usage,
    `There is no scene "${text}"`,
    'Write --scene today or --scene lecture.',
  )
}

async function readBasePort(text: string | undefined): Promise<number | null> {
  if (text === undefined) return null
  const { labPortCount } = await import('../lab/lab-ports.ts')
  const base = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (base === 0 || (base >= 1 && base + labPortCount <= 65_536)) return base
  const remedy = `Write a port from 1024 to ${65_536 - labPortCount}: the Lab takes ${labPortCount} in a row; 0 for any.`
  throw new CliError(exitCodes.usage, `--ports ${text} cannot be used`, remedy)
}

function welcome(lab: Lab, kept: boolean, style: Style): string {
  const { line } = lab
  const [crepes, hamburger] = line.servers
  const hostOf = (endpoint: string | undefined) => (endpoint ?? '').replace(':', ' ')
  const people = (line.accounts ?? []).map(
    ({ address, password }) => `  ${address.padEnd(20)} password ${password}`,
  )
  const mx = hamburger!.hostname
  const posthorn = commandName()
  return [
    `${style.bold('The Lab is open')}: two mail servers and their DNS, on this machine only.`,
    '',
    ...line.servers.flatMap((server) => [style.bold(server.hostname), ...doorLines(server, style), '']),
    `${style.bold('DNS')}  ${line.dns}  ${style.dim(`dig -p ${line.dns?.split(':')[1]} @127.0.0.1 MX hamburger.edu`)}`,
    `${style.bold('CA')}   ${line.ca}`,
    ...(crepes?.smtp === undefined
      ? []
      : [
          style.dim(
            `Port 25 of the story is ${hamburger!.smtp} here: ${mx} has no right to 25, and need not.`,
          ),
        ]),
    ...(lab.taken.length === 0
      ? []
      : [`Others use ${lab.taken.join(', ')}, so free ports were taken instead.`]),
    '',
    style.bold('People'),
    ...people,
    '',
    style.bold('Three things to try, in another terminal:'),
    `  ${posthorn} send --as alice --to bob@hamburger.edu -s "Ketchup?" -m "Do you like ketchup?" --follow`,
    `  nc -C ${hostOf(hamburger?.pop3)}      ${style.dim('then: user bob, pass hungry, list, retr 1, quit')}`,
    `  ${posthorn} way last --wire`,
    '',
    lab.scene === 'lecture'
      ? style.dim(`Scene: as in the lecture (HELO, no TLS). The other one: ${posthorn} lab --scene today`)
      : style.dim(`Scene: as today (EHLO, TLS). The other one: ${posthorn} lab --scene lecture`),
    style.dim(
      kept
        ? `Ctrl-C ends it; the mail stays in ${lab.folder}.`
        : 'Ctrl-C ends it and throws everything away.',
    ),
    '',
  ].join('\n')
}
