import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Ends the session, RFC 5321 §4.1.1.10. */
export const quit: Command = {
  verb: 'QUIT',
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],

  run(session, args) {
    // RFC 5321 §4.1.1.
    if (args !== '') throw refuse(501, '5.5.4', 'Cannot read QUIT: it takes no argument')
    const { hostname, replyTexts } = session.options
    const text = replyTexts?.closing(hostname) ?? `${hostname} closing connection`
    return { reply: { code: 221, status: '2.0.0', lines: [text] }, next: 'leave' }
  },
}
