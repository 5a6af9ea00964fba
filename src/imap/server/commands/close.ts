import { deleted } from '../../wire/flags.ts'
import { ok } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'
import { expungeFlagged } from './expunge.ts'

/** RFC 3501 §6.4.2: removes what is \Deleted without telling, and leaves the mailbox. */
export const close: Handlers['CLOSE'] = {
  state: 'selected',

  async run(session) {
    const { readOnly, index } = session.view
    if (!readOnly && index.flags.subarray(0, index.length).some((flags) => (flags & deleted) !== 0)) {
      await expungeFlagged(session, session.view.everything())
    }
    session.deselect()
    return ok('Closed')
  },
}
