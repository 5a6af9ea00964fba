import { readCredential } from '../../../sasl/credential-text.ts'
import { refuse } from '../../wire/refusal.ts'
import { assertLoginOffered, logIn } from '../log-in.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.2.3. */
export const login: Handlers['LOGIN'] = {
  state: 'not-authenticated',

  run(session, command) {
    assertLoginOffered(session)
    const name = readCredential(command.login)
    const password = readCredential(command.password)
    if (name === null || password === null) throw refuse('AUTHENTICATIONFAILED', 'Login or password is wrong')
    return logIn(session, { authorisationId: '', login: name, password })
  },
}
