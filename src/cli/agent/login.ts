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
  json?: boolean
}

export function registerLogin(program: Command): void {
  program
    .command('login')
    .description(
      'keep a log-in for ls, read, send and the others; the password is asked for, or read from standard input',
    )
    .argument('<address>', 'your address')
    .option('--imap <host:port>', 'IMAP server; 993 means TLS from the start, others STARTTLS')
    .option('--submission <host:port>', 'submission server; 465 means TLS from the start, others STARTTLS')
    .option('--ca <file>', 'trust this CA too')
    .action(async (address: string, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<LoginFlags>()
      const at = address.lastIndexOf('@')
      if (at < 1)
        throw new AgentError('usage', `Cannot read "${address}": expected an address like you@your.domain`)
      const host = `mail.${address.slice(at + 1)}`
      const login = {
        address: address.toLowerCase(),
        password: await readPassword(`Password of ${address}: `),
        imap: door(flags.imap ?? `${host}:993`, 993),
        submission: door(flags.submission ?? `${host}:465`, 465),
        ca: flags.ca ?? null,
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

function door(text: string, implicitPort: number): ServerDoor {
  const found = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text)
  if (found === null) throw new AgentError('usage', `Cannot read "${text}": expected host:port`)
  const host = (found[1] ?? found[2])!
  const port = Number(found[3])
  return { host, port, tls: port === implicitPort ? 'implicit' : 'starttls', serverName: host }
}
