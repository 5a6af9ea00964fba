import { ok } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.1.3. */
export const logout: Handlers['LOGOUT'] = {
  state: 'any',

  run(session) {
    session.end()
    session.dialogue.write(`* BYE ${session.options.hostname} closing connection\r\n`)
    return { ...ok('Goodbye'), next: 'close' }
  },
}
