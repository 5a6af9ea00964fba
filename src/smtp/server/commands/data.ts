import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Asks for the message, RFC 5321 §4.1.1.4. What comes next is read by incoming.ts. */
export const data: Command = {
  verb: 'DATA',
  phases: ['recipients'],

  async run(session, args) {
    if (args !== '') throw refuse(501, '5.5.4', 'Cannot read DATA: it takes no argument')
    const waiting = session.filters.ask('data')
    if (waiting !== undefined) await waiting
    const text = session.options.replyTexts?.data ?? 'Start mail input; end with <CRLF>.<CRLF>'
    // RFC 2034 §4: 3xx replies carry no status code.
    return { reply: { code: 354, status: null, lines: [text] }, next: 'data' }
  },
}
