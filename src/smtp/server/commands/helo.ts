import { andThen } from '../../../base/at-once.ts'
import { refuse } from '../../wire/reply.ts'
import { nothingOffered } from '../offer.ts'
import type { Command, Session } from '../session.ts'

/** HELO, RFC 5321 §4.1.1.1. */
export const helo: Command = {
  verb: 'HELO',
  roles: ['mx', 'submission'],
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],
  idle: true,

  run(session, args) {
    return andThen(greet(session, args, 'HELO'), () => {
      const { hostname, replyTexts } = session.options
      return { code: 250, status: null, lines: [replyTexts?.hello(session.clientName, hostname) ?? hostname] }
    })
  },
}

/** What a client calls itself is not checked further than that it can stand in a Received field: RFC 5321 §4.1.4. */
export function greet(session: Session, args: string, verb: 'HELO' | 'EHLO'): Promise<void> | void {
  const name = args.trim()
  if (name === '') throw refuse(501, '5.5.4', `Cannot read ${verb}: expected the name of your host`)
  if (!/^[\x21-\x7e]{1,255}$/.test(name))
    throw refuse(501, '5.5.4', `Cannot read ${verb}: this is no host name`)
  // RFC 5321 §4.1.4: EHLO in the midst of a session does what RSET does.
  session.reset()
  session.phase = 'start'
  // What follows may be the client's own words, passed on as they are: docs/decisions/230.
  if (session.vouched !== null) session.mayVouch = false
  // A proxy's own name says nothing of its client.
  session.clientName = session.vouched?.helo ?? name
  session.extended = verb === 'EHLO'
  session.offer = nothingOffered
  return andThen(session.filters.ask('hello'), () => {
    session.phase = 'ready'
  })
}
