import { expectNothing } from '../../wire/command-line.ts'
import { ok, refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Puts TLS under the session, RFC 2595 §4. The connection throws away what was pipelined behind it. */
export const stls: Command = {
  keyword: 'STLS',
  phases: ['authorization'],

  run(session, args) {
    expectNothing(args)
    if (session.tls !== null) throw refuse('Command not permitted when TLS active')
    if (session.options.tls === null) throw refuse('STLS is not offered here')
    return { reply: ok('Begin TLS negotiation'), next: 'stls' }
  },
}
