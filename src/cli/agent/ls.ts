import type { Command } from 'commander'
import { withAgent, type AgentFlags } from './run.ts'
import { saveListing } from './listing.ts'
import type { ListedMessage } from './mail-agent.ts'
import { fit, formatOctets, printableLine } from './terminal.ts'

interface LsFlags extends AgentFlags {
  number: string
  mailboxes?: boolean
}

export function registerLs(program: Command): void {
  program
    .command('ls')
    .description('list the messages of a mailbox, newest first')
    .argument('[mailbox]', 'name of the mailbox', 'INBOX')
    .option('-n, --number <count>', 'how many at most', '20')
    .option('--mailboxes', 'list the mailboxes instead')
    .action((mailbox: string, _flags: unknown, command: Command) =>
      withAgent<LsFlags>(command, async ({ agent, login, flags, print }) => {
        if (flags.mailboxes === true) {
          const mailboxes = await agent.mailboxes()
          if (flags.json === true) print(JSON.stringify({ version: 1, account: login.address, mailboxes }))
          else for (const name of mailboxes) print(printableLine(name))
          return
        }
        const limit = Math.min(Math.max(1, Number.parseInt(flags.number, 10) || 20), 10_000)
        const messages = await agent.list(mailbox, limit)
        saveListing(login.address, messages)
        if (flags.json === true) {
          print(
            JSON.stringify({ version: 1, account: login.address, mailbox, messages: messages.map(toJson) }),
          )
        } else if (messages.length === 0) {
          print(`${mailbox} of ${login.address} is empty.`)
        } else {
          for (const [index, message] of messages.entries()) print(toLine(index + 1, message))
        }
      }),
    )
}

function toJson(message: ListedMessage, index: number): Record<string, unknown> {
  return { number: index + 1, ...message, date: new Date(message.date).toISOString() }
}

/** `N` new, `F` flagged, `A` answered: letters, so that nothing depends on colour. */
function toLine(number: number, message: ListedMessage): string {
  const marks = `${message.seen ? ' ' : 'N'}${message.flagged ? 'F' : ' '}${message.answered ? 'A' : ' '}`
  const date = new Date(message.date).toISOString().slice(0, 16).replace('T', ' ')
  const from = fit(printableLine(message.from) || '(nobody)', 24)
  const subject = fit(printableLine(message.subject) || '(no subject)', 44).trimEnd()
  return `${String(number).padStart(3)} ${marks} ${date}  ${from}  ${formatOctets(message.octets).padStart(7)}  ${subject}`
}
