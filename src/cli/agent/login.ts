import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { forgetLogin, type ServerDoor, saveLogin } from './logins.ts'
import { AgentError } from './mail-agent.ts'
import { readPassword } from '../password.ts'
import { print } from './run.ts'
import { internetAgent } from './internet-agent.ts'

interface LoginFlags {
  imap: string
  submission: string
  ca?: string
  serverName?: string
  json?: boolean
}

export function registerLogin(program: Command): void {
  program
    .command('login')
    .description(
      'keep a log-in for ls, read, send and the others; the password is asked for, or read from standard input',
    )
    .argument('<address>', 'your address')
    .option(
      '--imap <host:port>',
      'IMAP server; port 993 or imaps:// before it means TLS from the start, others STARTTLS',
    )
    .option(
      '--submission <host:port>',
      'submission server; port 465 or smtps:// before it means TLS from the start, others STARTTLS',
    )
    .option('--ca <file>', 'trust this CA, or this self-made certificate, too')
    .option('--server-name <name>', 'the name its certificate has, if that is not the host')
    .action(async (address: string, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<LoginFlags>()
      const at = address.lastIndexOf('@')
      if (at < 1)
        throw new AgentError('usage', `Cannot read "${address}": expected an address like you@your.domain`)
      const host = `mail.${address.slice(at + 1)}`
      const login = {
        address: address.toLowerCase(),
        password: await readPassword(`Password of ${address}: `),
        imap: door(flags.imap ?? `${host}:993`, 'imap', flags.serverName),
        submission: door(flags.submission ?? `${host}:465`, 'smtp', flags.serverName),
        // Used later from any folder.
        ca: flags.ca === undefined ? null : resolve(flags.ca),
      }
      const agent = internetAgent(login, { trace: null })
      try {
        await agent.list('INBOX', 1)
      } finally {
        await agent.close()
      }
      saveLogin(login)
      print(
        flags.json === true
          ? JSON.stringify({ version: 1, address: login.address })
          : `Logged in as ${login.address}.`,
      )
    })
  program
    .command('logout')
    .description('forget a log-in')
    .argument('<address>')
    .action((address: string) => {
      if (!forgetLogin(address.toLowerCase()))
        throw new AgentError('not-found', `${address} was not logged in`)
      print(`Forgot ${address}.`)
    })
}

const implicitPort = { imap: 993, smtp: 465 }

/** [scheme "://"] host ":" port */
export function door(text: string, protocol: 'imap' | 'smtp', serverName?: string): ServerDoor {
  const found = /^(?:(imaps?|smtps?):\/\/)?(?:\[([0-9a-fA-F:]+)\]|([^:/]+)):([0-9]{1,5})$/.exec(text)
  const scheme = found?.[1]
  if (found === null || (scheme !== undefined && !scheme.startsWith(protocol)))
    throw new AgentError('usage', `Cannot read "${text}": expected host:port or ${protocol}s://host:port`)
  const host = (found[2] ?? found[3])!
  const port = Number(found[4])
  // TLS names no address, RFC 6066 §3; a certificate is made for a name.
  if (serverName === undefined && isIP(host) !== 0)
    throw new AgentError('usage', `${host} is an address: add --server-name with the name in its certificate`)
  const implicit = scheme === undefined ? port === implicitPort[protocol] : scheme === `${protocol}s`
  return { host, port, tls: implicit ? 'implicit' : 'starttls', serverName: serverName ?? host }
}
