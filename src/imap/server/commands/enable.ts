import { ok } from '../../wire/refusal.ts'
import { untagged } from '../../wire/response.ts'
import type { Handlers } from '../session.ts'

/** RFC 5161 §3.1: what is not known is passed over; nothing of ours needs to be enabled yet. */
export const enable: Handlers['ENABLE'] = {
  state: 'authenticated',

  run(session) {
    session.dialogue.write(untagged('ENABLED'))
    return ok('Enabled what is known')
  },
}
