import { expectNothing } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** The drop listing, RFC 1939 §5: what is marked as deleted does not count. */
export const stat: Command = {
  keyword: 'STAT',
  phases: ['transaction'],

  run(session, args) {
    expectNothing(args)
    const maildrop = session.maildrop!
    return ok(`${maildrop.count} ${maildrop.octets}`)
  },
}
