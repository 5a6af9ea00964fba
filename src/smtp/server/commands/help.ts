import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

const topics: Readonly<Record<string, string>> = {
  EHLO: 'EHLO your.host.name - greets, and asks what this server can do',
  LHLO: 'LHLO your.host.name - greets, and asks what this server can do',
  HELO: 'HELO your.host.name - greets',
  MAIL: 'MAIL FROM:<address> [parameters] - begins a message',
  RCPT: 'RCPT TO:<address> [parameters] - names one recipient',
  DATA: 'DATA - the message follows, up to a line of one dot',
  BDAT: 'BDAT octets [LAST] - so many octets of the message follow',
  RSET: 'RSET - forgets the message that has been begun',
  NOOP: 'NOOP - does nothing',
  QUIT: 'QUIT - ends the conversation',
  VRFY: 'VRFY address - asks whether there is somebody of that address',
  EXPN: 'EXPN address - asks who is behind a list',
  STARTTLS: 'STARTTLS - goes on under TLS',
  ETRN: 'ETRN domain - asks for the mail that waits for a domain this server is a backup of',
  AUTH: 'AUTH mechanism [response] - logs in',
  HELP: 'HELP [command] - says what a command does',
}

/** RFC 5321 §4.1.1.8. */
export const help: Command = {
  verb: 'HELP',
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],
  idle: true,

  run({ options: { role } }, args) {
    const topic = args.trim().toUpperCase()
    if (topic === '') {
      const lines = [
        `${role === 'lmtp' ? 'LHLO' : 'EHLO'} MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY STARTTLS AUTH`,
        'HELP MAIL says what MAIL does',
      ]
      return { code: 214, status: '2.0.0', lines }
    }
    const text = Object.hasOwn(topics, topic) ? topics[topic] : undefined
    if (text === undefined) throw refuse(504, '5.5.4', 'There is no help about that')
    return { code: 214, status: '2.0.0', lines: [text] }
  },
}
