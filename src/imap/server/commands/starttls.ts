import { bad, ok } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'

/** Puts TLS under the session, RFC 3501 §6.2.1. The connection throws away what was pipelined behind it. */
export const starttls: Handlers['STARTTLS'] = {
  state: 'not-authenticated',

  run(session) {
    if (session.dialogue.secure) throw bad('TLS is up already')
    if (session.options.tls === null) throw bad('STARTTLS is not offered here')
    // What was said in the clear may have been put there by somebody in between.
    session.clientName = null
    return { ...ok('Begin TLS now'), next: 'starttls' }
  },
}
