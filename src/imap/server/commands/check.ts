import { ok } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.4.1: a checkpoint; everything answered with OK is on disk already. */
export const check: Handlers['CHECK'] = {
  state: 'selected',

  run: () => ok('Everything is on disk'),
}
