import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Ends the transaction without a message, RFC 5321 §4.1.1.5. */
export const rset: Command = {
  verb: 'RSET',
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],
  idle: true,

  run(session, args) {
    if (args !== '') throw refuse(501, '5.5.4', 'Cannot read RSET: it takes no argument')
    session.reset()
    return { code: 250, status: '2.0.0', lines: ['Reset'] }
  },
}
