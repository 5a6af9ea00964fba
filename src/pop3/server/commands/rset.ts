import { expectNothing } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Takes all marks for deletion back, RFC 1939 §5. */
export const rset: Command = {
  keyword: 'RSET',
  phases: ['transaction'],

  run(session, args) {
    expectNothing(args)
    const maildrop = session.maildrop!
    maildrop.unmarkAll()
    return ok(`maildrop has ${maildrop.count} messages (${maildrop.octets} octets)`)
  },
}
