import { ok } from '../../wire/refusal.ts'
import { untagged } from '../../wire/response.ts'
import type { Handlers } from '../session.ts'

/** RFC 2342 §5: one personal namespace, nobody else's and none shared. */
export const namespace: Handlers['NAMESPACE'] = {
  state: 'authenticated',

  run(session) {
    session.dialogue.write(untagged('NAMESPACE (("" "/")) NIL NIL'))
    return ok('Namespaces told')
  },
}
