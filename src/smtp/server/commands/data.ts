import { andThen } from '../../../base/at-once.ts'
import { refuse } from '../../wire/reply.ts'
import { IncomingMessage } from '../incoming.ts'
import type { Command } from '../session.ts'

/** Asks for the message, RFC 5321 §4.1.1.4. What comes next is read by incoming.ts. */
export const data: Command = {
  verb: 'DATA',
  phases: ['recipients'],

  run(session, args) {
    if (args !== '') throw refuse(501, '5.5.4', 'Cannot read DATA: it takes no argument')
    // RFC 3030 §3.
    if (session.transaction?.mail.body === 'BINARYMIME')
      throw refuse(503, '5.5.1', 'BODY=BINARYMIME comes by BDAT only')
    return andThen(session.filters.ask('data'), () => {
      const text = session.options.replyTexts?.data ?? 'Start mail input; end with <CRLF>.<CRLF>'
      session.incoming = new IncomingMessage(session)
      // RFC 2034 §4: 3xx replies carry no status code.
      return { reply: { code: 354, status: null, lines: [text] }, next: 'data' }
    })
  },
}
