import { expectNothing } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Does nothing, RFC 1939 §5. */
export const noop: Command = {
  keyword: 'NOOP',
  phases: ['transaction'],

  run(_session, args) {
    expectNothing(args)
    return ok()
  },
}
