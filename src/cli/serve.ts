import type { Log } from '../base/log.ts'
import type { Command } from 'commander'
import type { Config } from '../base/config.ts'
import type { Reloaded } from '../daemon/reload-config.ts'
import type { ServerGiven } from '../daemon/server.ts'
import type { ReadyLine } from '../daemon/ready-line.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { commandName } from './command-name.ts'
import { requireConfigFile } from './config.ts'
import { runCommand } from './run-command.ts'
import { stopOnSignals } from './stop-on-signals.ts'
import { note, print, type Style, styleFor } from './terminal.ts'

/** How long sessions and attempts may go on after SIGTERM. */
const graceMs = 10_000
/** How long threads may take to end by themselves. */
const lingerMs = 2_000

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('run a mail server; SIGTERM ends it gracefully, SIGHUP reads the configuration anew')
    .action((_flags: unknown, command: Command) =>
      runCommand(command, async ({ flags }) => serve(requireConfigFile(flags), flags.json === true)),
    )
}

async function serve(file: string, json: boolean): Promise<void> {
  const { loadConfig } = await import('../daemon/load-config.ts')
  const { config, warnings } = await loadConfig(file)
  if (Object.keys(config.listen).length === 0 && process.env['LISTEN_FDS'] === undefined) {
    const remedy =
      'Add to [listen] for example smtp = ["0.0.0.0:25"]; posthorn config check shows what is open.'
    throw new CliError(exitCodes.usage, `${file} opens no door`, remedy, { code: 'no-door' })
  }
  const { createLog } = await import('../base/log.ts')
  const { systemWorld } = await import('../daemon/world.ts')
  const { createServer } = await import('../daemon/server.ts')
  const { openControlSocket } = await import('../daemon/control-socket.ts')
  const { controlPath } = await import('../daemon/control-path.ts')
  const log = createLog(note, () => config.log.level, Date.now)
  for (const warning of warnings) log.warn(warning)

  // Mail is its owner's: a data folder that somebody made with wider rights must not give it to all users.
  process.umask(0o077)
  const stopping = stopOnSignals()
  const given = await takeWhatNeedsRoot(config, log)
  async function reload(): Promise<Reloaded> {
    const next = await loadConfig(file)
    const reloaded = await server.reload(next.config)
    for (const warning of next.warnings) log.warn(warning)
    for (const name of reloaded.needsRestart) log.warn(`${name} needs a restart`)
    log.info('configuration and certificates read anew', { changed: reloaded.changed })
    return reloaded
  }
  const world = await systemWorld(config, log)
  const server = await createServer(
    config,
    world,
    {
      stop: stopping.stop,
      reload,
      failed: (cause) => {
        // Whoever supervises us starts us again, and the store recovers; going on would only refuse.
        log.error('the store failed, ending', { error: cause })
        process.exitCode = exitCodes.tryLater
        stopping.stop()
      },
    },
    given,
  )
  const control = await openControlSocket(controlPath(config.data), server.adminApp, log).catch(
    async (error) => {
      await server.close(0)
      throw error
    },
  )
  const hangUp = (): void => {
    reload().catch((error: unknown) => log.error('cannot reload, everything stays as it was', { error }))
  }
  process.on('SIGHUP', hangUp)
  const line: ReadyLine = { ready: true, pid: process.pid, control: control.path, servers: [server.line] }
  if (json) print(`${JSON.stringify(line)}\n`)
  else print(welcome(line, file, (await server.store.listDomains()).length > 0, styleFor(process.stdout)))
  log.info('ready', { hostname: config.hostname })

  await stopping.wait()
  log.info('stopping', { graceMs })
  process.off('SIGHUP', hangUp)
  await server.close(graceMs)
  // Last: until here other commands must not take the folder for free.
  await control.close()
  world.close()
  log.info('stopped')
  // A long job that was asked for, a check of all bodies say, has a thread of its own: it does not keep a stopped server.
  setTimeout(() => process.exit(), lingerMs).unref()
}

/** Binds the ports and reads the keys, then becomes the user who runs the server. @throws {StartError} */
async function takeWhatNeedsRoot(config: Config, log: Log): Promise<ServerGiven> {
  const { becomeUser, prepareDataFolder, userToBecome, warningOfRoot } = await import(
    '../daemon/become-user.ts'
  )
  const { readCertificates } = await import('../daemon/certificates.ts')
  const { releasePorts, takePorts } = await import('../daemon/take-ports.ts')
  const user = userToBecome(config.process)
  const warning = warningOfRoot(config.process)
  if (warning !== null) log.warn(warning)
  const certificates = await readCertificates(config)
  const ports = await takePorts(config)
  try {
    if (user !== null) {
      await prepareDataFolder(config.data, user)
      becomeUser(user)
      // It was root's.
      delete process.env['XDG_RUNTIME_DIR']
    }
  } catch (error) {
    releasePorts(ports)
    throw error
  }
  return { certificates, ports }
}

const clearName: Record<string, string> = {
  smtp: 'mail from other servers',
  lmtp: 'mail from another server of yours, LMTP',
  submission: 'sending, STARTTLS',
  submissions: 'sending, TLS',
  pop3: 'reading by POP3',
  pop3s: 'reading by POP3, TLS',
  imap: 'reading by IMAP',
  imaps: 'reading by IMAP, TLS',
  http: '/healthz and /readyz',
  metrics: '/metrics, /healthz and /readyz',
}

/** One line for each open door. */
export function doorLines(server: ReadyLine['servers'][number], style: Style): string[] {
  return Object.entries(server)
    .filter(([door]) => door in clearName)
    .map(
      ([door, endpoint]) =>
        `  ${style.brass(door.padEnd(12))} ${endpoint.padEnd(18)} ${style.dim(clearName[door]!)}`,
    )
}

function welcome(line: ReadyLine, file: string, hasDomain: boolean, style: Style): string {
  const [server] = line.servers
  const { domain, hostname } = server!
  const config = file === `${process.cwd()}/posthorn.toml` ? '' : ` --config ${file}`
  const second = hasDomain ? 'queue ls' : `domain add ${domain}`
  const things = [second, `account add NAME@${domain}`, 'way last']
  return [
    `${style.bold(hostname)} is open.`,
    ...doorLines(server!, style),
    '',
    'Three things to try, in another terminal:',
    ...things.map((thing) => `  ${commandName()} ${thing}${config}`),
    '',
    style.dim('Ctrl-C stops it.'),
    '',
  ].join('\n')
}
