import { andThen } from '../../../base/at-once.ts'
import { makeOffer } from '../offer.ts'
import type { Command } from '../session.ts'
import { greet } from './helo.ts'

/** EHLO, RFC 5321 §4.1.1.1. */
export const ehlo: Command = {
  verb: 'EHLO',
  roles: ['mx', 'submission'],
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],
  idle: true,

  run(session, args) {
    return andThen(greet(session, args, 'EHLO'), () => {
      const { hostname, replyTexts } = session.options
      const { lines, parameters } = makeOffer(session)
      session.offer = parameters
      const first = replyTexts?.hello(session.clientName, hostname) ?? hostname
      return { code: 250, status: null, lines: [first, ...lines] }
    })
  },
}
