import { decodeBase64Line, decodeInitialResponse, encodeBase64 } from '../../../sasl/base64.ts'
import type { Credentials, SaslStep } from '../../../sasl/mechanism.ts'
import { mechanismsFor } from '../../../sasl/mechanisms.ts'
import { refuse, type Reply } from '../../wire/reply.ts'
import { loginOffered } from '../login-policy.ts'
import type { Answer, Command, Session } from '../session.ts'

/** Logs in, RFC 4954 §4. In the `auth` phase the arguments are the whole line: an answer to our challenge. */
export const auth: Command = {
  verb: 'AUTH',
  phases: ['ready', 'auth'],

  run(session, args) {
    return session.phase === 'auth' ? proceed(session, args) : begin(session, args)
  },
}

function begin(session: Session, args: string): Promise<Answer | Reply> | Reply {
  if (session.options.role !== 'submission') throw refuse(502, '5.5.1', 'AUTH is not offered here')
  // RFC 4954 §4: once is enough.
  if (session.account !== null) throw refuse(503, '5.5.1', 'You are logged in already')
  if (!loginOffered(session)) throw refuse(538, '5.7.11', 'Say STARTTLS first: log-in needs TLS')
  const [name = '', initial, ...more] = args.trim().split(/ +/)
  if (name === '') throw refuse(501, '5.5.4', 'Cannot read AUTH: expected a mechanism')
  const mechanism = mechanismsFor(session.tls?.client?.accounts ?? []).get(name.toUpperCase())
  if (mechanism === undefined) throw refuse(504, '5.5.4', 'This mechanism is not offered')
  if (more.length > 0) throw refuse(501, '5.5.4', 'Cannot read AUTH: expected a mechanism and one response')
  const response = initial === undefined ? null : decodeInitialResponse(initial)
  if (initial !== undefined && response === null)
    throw refuse(501, '5.5.2', 'Cannot read AUTH: this is no base64')
  session.exchange = mechanism.start()
  return step(session, session.exchange.begin(response))
}

function proceed(session: Session, line: string): Promise<Answer | Reply> | Reply {
  const { exchange } = session
  session.phase = 'ready'
  session.exchange = null
  // RFC 4954 §4: a lone asterisk cancels.
  if (line === '*') throw refuse(501, '5.7.0', 'Log-in cancelled')
  const response = decodeBase64Line(line)
  if (response === null || exchange === null)
    throw refuse(501, '5.5.2', 'Cannot read the response: this is no base64')
  session.exchange = exchange
  return step(session, exchange.next(response))
}

function step(session: Session, result: SaslStep): Promise<Answer | Reply> | Reply {
  if (result.kind === 'challenge') {
    session.phase = 'auth'
    return { code: 334, status: null, lines: [encodeBase64(result.challenge)] }
  }
  session.exchange = null
  session.phase = 'ready'
  if (result.kind === 'malformed') throw refuse(501, '5.5.2', `Cannot read AUTH: ${result.reason}`)
  return judge(session, result.credentials)
}

async function judge(session: Session, credentials: Credentials): Promise<Answer | Reply> {
  const { authenticator, defaultDomain, limits } = session.options
  const attempt = { ...credentials, remoteAddress: session.peer.remoteAddress, protocol: 'smtp' as const }
  const verdict = await authenticator.verify(attempt, defaultDomain)
  if (verdict.kind === 'ok') {
    if (session.peer.place?.enter(verdict.account.accountId) === false)
      throw refuse(421, '4.7.0', 'Too many connections of this account')
    session.account = verdict.account
    return { code: 235, status: '2.7.0', lines: ['Authentication successful'] }
  }
  if (verdict.kind === 'unavailable')
    throw refuse(454, '4.7.0', 'Log-in is not possible at the moment, try again later')
  session.loginFailures++
  const reply = { code: 535, status: '5.7.8', lines: ['Login or password is wrong'] }
  return session.loginFailures < limits.loginFailuresPerSession ? reply : { reply, next: 'close' }
}
