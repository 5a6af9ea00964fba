import type { Command } from 'commander'
import { registerLogin } from './login.ts'
import { registerLs } from './ls.ts'
import { registerRead } from './read.ts'
import { registerReply } from './reply.ts'
import { registerRm } from './rm.ts'
import { registerSend } from './send.ts'

const agentNames = new Set(['send', 'ls', 'read', 'reply', 'rm'])

/** The user agent: send, ls, read, reply, rm, and who one is. */
export function registerAgentCommands(program: Command): void {
  registerSend(program)
  registerLs(program)
  registerRead(program)
  registerReply(program)
  registerRm(program)
  for (const command of program.commands.filter((one) => agentNames.has(one.name()))) {
    command.option('--as <address>', 'whose mail, when several are logged in (or POSTHORN_AS)')
    command.option('-v, --verbose', 'show the dialogues, as curl -v does')
  }
  registerLogin(program)
}
