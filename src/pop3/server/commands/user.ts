import { misuse, ok } from '../../wire/reply.ts'
import { expectLoginOffered } from '../login-policy.ts'
import type { Command } from '../session.ts'

/** Names a maildrop, RFC 1939 §7. Every name gets +OK: §13 warns that -ERR tells which names are valid. */
export const user: Command = {
  keyword: 'USER',
  phases: ['authorization'],

  run(session, args) {
    expectLoginOffered(session)
    const name = args.trim()
    if (name === '') throw misuse('Cannot read USER: expected a name')
    session.userName = name
    return ok()
  },
}
