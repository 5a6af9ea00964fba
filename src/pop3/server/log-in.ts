import type { Credentials } from '../../sasl/mechanism.ts'
import { ok, refuse } from '../wire/reply.ts'
import { type Maildrop, openMaildrop } from './maildrop.ts'
import type { Answer, Session } from './session.ts'

/**
 * Judges what PASS or AUTH brought and opens the maildrop, RFC 1939 §4: the lock is taken after the password was found
 * right, so that nobody learns from IN-USE about another's maildrop.
 *
 * @throws {Refusal}
 */
export async function logIn(session: Session, credentials: Credentials): Promise<Answer> {
  const { authenticator, defaultDomain, limits } = session.options
  const attempt = { ...credentials, remoteAddress: session.peer.remoteAddress, protocol: 'pop3' as const }
  const verdict = await authenticator.verify(attempt, defaultDomain)
  if (verdict.kind === 'unavailable') {
    throw refuse('Log-in is not possible at the moment, try again later', 'SYS/TEMP')
  }
  if (verdict.kind === 'refused') {
    session.loginFailures++
    const { reply } = refuse('Login or password is wrong', 'AUTH')
    return { reply, next: session.loginFailures < limits.loginFailuresPerSession ? 'command' : 'close' }
  }
  if (session.peer.place?.enter(verdict.account.accountId) === false)
    throw refuse('Too many connections of this account', 'IN-USE')
  await enter(session, verdict.account.accountId)
  session.phase = 'transaction'
  return { reply: ok('user successfully logged on'), next: 'command' }
}

async function enter(session: Session, accountId: number): Promise<void> {
  const { locks, store, log } = session.options
  const unlock = locks.take(accountId)
  if (unlock === null) throw refuse('Another POP3 session has this maildrop open', 'IN-USE')
  let maildrop: Maildrop
  try {
    maildrop = await openMaildrop(store, accountId)
  } catch (error) {
    unlock()
    log.error('maildrop cannot be opened', { accountId, error })
    throw refuse('The maildrop cannot be opened, try again later', 'SYS/TEMP', { cause: error })
  }
  session.hold(maildrop, unlock)
}
