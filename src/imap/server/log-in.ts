import type { Credentials } from '../../sasl/mechanism.ts'
import { bad, ok, refuse } from '../wire/refusal.ts'
import { capabilities, loginOffered } from './login-policy.ts'
import type { Answer, Session } from './session.ts'

/** @throws {Refusal} A password would be readable by anybody on the way. */
export function assertLoginOffered(session: Session): void {
  // RFC 5530 §3, PRIVACYREQUIRED; RFC 3501 §6.2.3 wants NO for a client that ignores LOGINDISABLED.
  if (!loginOffered(session)) throw refuse('PRIVACYREQUIRED', 'Say STARTTLS first: log-in needs TLS')
}

/** Judges credentials, however they came. */
export async function logIn(session: Session, credentials: Credentials): Promise<Answer> {
  const { authenticator, defaultDomain, limits } = session.options
  const { remoteAddress } = session.dialogue
  const verdict = await authenticator.verify(
    { ...credentials, remoteAddress, protocol: 'imap' },
    defaultDomain,
  )
  if (verdict.kind === 'unavailable')
    throw refuse('UNAVAILABLE', 'Log-in is not possible at the moment, try again later')
  if (verdict.kind === 'refused') {
    session.loginFailures++
    const refused = refuse('AUTHENTICATIONFAILED', 'Login or password is wrong').result
    if (session.loginFailures < limits.loginFailuresPerSession) return refused
    session.dialogue.write('* BYE Too many failed log-ins\r\n')
    return { ...refused, next: 'close' }
  }
  if (session.dialogue.closed) throw bad('Connection closed')
  if (!session.dialogue.enter(verdict.account.accountId)) {
    throw refuse('LIMIT', 'Too many sessions of this account')
  }
  session.account = verdict.account
  // RFC 3501 §6.2.2 and §6.2.3: what the client knew of our capabilities no longer holds.
  return ok('Logged in', `CAPABILITY ${capabilities(session)}`)
}
