import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Says neither yes nor no, RFC 5321 §3.5.3: who wants to know writes a letter. */
export const vrfy: Command = {
  verb: 'VRFY',
  phases: ['start', 'ready', 'envelope', 'recipients'],

  run(_session, args) {
    if (args.trim() === '') throw refuse(501, '5.5.4', 'Cannot read VRFY: expected an address')
    return {
      code: 252,
      status: '2.1.5',
      lines: ['Cannot verify, but will accept a message and attempt delivery'],
    }
  },
}
