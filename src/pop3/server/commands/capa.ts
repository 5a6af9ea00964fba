import { mechanismsFor } from '../../../sasl/mechanisms.ts'
import { expectNothing } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import { loginOffered, tlsOffered } from '../login-policy.ts'
import type { Command, Session } from '../session.ts'

/** Lists what we can, RFC 2449 §5. */
export const capa: Command = {
  keyword: 'CAPA',
  phases: ['authorization', 'transaction'],

  run(session, args) {
    expectNothing(args)
    return ok('Capability list follows', { kind: 'lines', lines: capabilities(session) })
  },
}

/** RFC 2449 §5 wants the same list in both states; only STLS is named where it is permitted, RFC 2595 §4. */
function capabilities(session: Session): string[] {
  const lines = ['TOP', 'UIDL']
  if (loginOffered(session))
    lines.push('USER', `SASL ${[...mechanismsFor(session.tls?.client?.accounts ?? []).keys()].join(' ')}`)
  if (tlsOffered(session) && session.phase === 'authorization') lines.push('STLS')
  // RFC 3206 §6 for AUTH-RESP-CODE; EXPIRE NEVER: we delete nothing by ourselves, RFC 2449 §6.7.
  return [...lines, 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER', 'IMPLEMENTATION Posthorn']
}
