import { ok } from '../../wire/refusal.ts'
import { untagged } from '../../wire/response.ts'
import { capabilities } from '../login-policy.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.1.1. */
export const capability: Handlers['CAPABILITY'] = {
  state: 'any',

  run(session) {
    session.dialogue.write(untagged(`CAPABILITY ${capabilities(session)}`))
    return ok('Capabilities told')
  },
}
