import { ok } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'

/** RFC 3691 §2: leaves the mailbox and removes nothing. */
export const unselect: Handlers['UNSELECT'] = {
  state: 'selected',

  run(session) {
    session.deselect()
    return ok('Closed')
  },
}
