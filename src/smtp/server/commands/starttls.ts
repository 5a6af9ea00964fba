import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Puts TLS under the session, RFC 3207 §4. The connection throws away what was pipelined behind it. */
export const starttls: Command = {
  verb: 'STARTTLS',
  phases: ['ready', 'envelope', 'recipients'],

  run(session, args) {
    if (args.trim() !== '') throw refuse(501, '5.5.2', 'Cannot read STARTTLS: it takes no argument')
    if (session.tls !== null) throw refuse(503, '5.5.1', 'TLS is up already')
    if (session.options.tls === null) throw refuse(502, '5.5.1', 'STARTTLS is not offered here')
    return { reply: { code: 220, status: '2.0.0', lines: ['Ready to start TLS'] }, next: 'starttls' }
  },
}
