import { ok } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.1.2: news are told behind every command, and so behind this one. */
export const noop: Handlers['NOOP'] = {
  state: 'any',

  run: () => ok('Nothing done'),
}
