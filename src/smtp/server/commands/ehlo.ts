import { mechanismsFor } from '../../../sasl/mechanisms.ts'
import { loginOffered } from '../login-policy.ts'
import type { Command, Session } from '../session.ts'
import { greet } from './helo.ts'

/** EHLO, RFC 5321 §4.1.1.1. */
export const ehlo: Command = {
  verb: 'EHLO',
  phases: ['start', 'ready', 'envelope', 'recipients'],

  async run(session, args) {
    await greet(session, args, 'EHLO')
    const { hostname, replyTexts } = session.options
    const first = replyTexts?.hello(session.clientName, hostname) ?? hostname
    return { code: 250, status: null, lines: [first, ...extensions(session)] }
  },
}

function extensions(session: Session): string[] {
  const { tls } = session.options
  const offered = ['PIPELINING', `SIZE ${session.messageOctets}`, '8BITMIME']
  if (session.enhanced) offered.push('ENHANCEDSTATUSCODES')
  // RFC 3207 §4.2: not again once TLS is up.
  if (tls !== null && session.tls === null) offered.push('STARTTLS')
  if (loginOffered(session) && session.account === null)
    offered.push(`AUTH ${[...mechanismsFor(session.tls?.client?.accounts ?? []).keys()].join(' ')}`)
  return offered
}
