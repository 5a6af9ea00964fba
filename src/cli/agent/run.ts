/** What every command of the user agent does around its own work: who, and which server. */
import type { Command } from 'commander'
import { internetAgent } from './internet-agent.ts'
import { labLogins } from './lab-logins.ts'
import { chooseLogin, type Login } from './logins.ts'
import type { MailAgent } from './mail-agent.ts'

export interface AgentFlags {
  as?: string
  json?: boolean
  verbose?: boolean
}

export interface AgentWork<Flags> {
  readonly agent: MailAgent
  readonly login: Login
  readonly flags: Flags
  readonly print: (line: string) => void
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

export async function withAgent<Flags extends AgentFlags>(
  command: Command,
  work: (given: AgentWork<Flags>) => Promise<void>,
): Promise<void> {
  const flags = command.optsWithGlobals<Flags>()
  const login = chooseLogin(flags.as ?? process.env['POSTHORN_AS'] ?? null, await labLogins())
  const trace = flags.verbose === true ? (line: string) => void process.stderr.write(`${line}\n`) : null
  const agent = internetAgent(login, { trace })
  try {
    await work({ agent, login, flags, print })
  } finally {
    await agent.close()
  }
}
