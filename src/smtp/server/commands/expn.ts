import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Lists are nobody's business, RFC 5321 §7.3. */
export const expn: Command = {
  verb: 'EXPN',
  phases: ['start', 'ready', 'envelope', 'recipients'],

  run() {
    throw refuse(502, '5.5.1', 'EXPN is not offered here')
  },
}
