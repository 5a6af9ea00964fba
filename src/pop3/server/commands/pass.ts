import { readCredential } from '../../../sasl/credential-text.ts'
import { misuse, refuse } from '../../wire/reply.ts'
import { logIn } from '../log-in.ts'
import { expectLoginOffered } from '../login-policy.ts'
import type { Command } from '../session.ts'

/** Proves to be the USER, RFC 1939 §7. Spaces are part of the password, which is UTF-8 as RFC 6856 §2.2 has it. */
export const pass: Command = {
  keyword: 'PASS',
  phases: ['authorization'],

  run(session, args) {
    expectLoginOffered(session)
    const { userName } = session
    // RFC 1939 §7: after a PASS that failed USER comes first again.
    session.userName = null
    if (userName === null) throw misuse('Say USER first')
    if (args === '') throw misuse('Cannot read PASS: expected a password')
    const login = readCredential(userName)
    const password = readCredential(args)
    if (login === null || password === null) throw refuse('Login or password is wrong', 'AUTH')
    return logIn(session, { authorisationId: '', login, password })
  },
}
