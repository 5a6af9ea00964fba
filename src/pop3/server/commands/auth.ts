import { decodeBase64Line, decodeInitialResponse, encodeBase64 } from '../../../sasl/base64.ts'
import type { SaslStep } from '../../../sasl/mechanism.ts'
import { mechanismsFor } from '../../../sasl/mechanisms.ts'
import { misuse, ok, refuse, type Reply } from '../../wire/reply.ts'
import { logIn } from '../log-in.ts'
import { expectLoginOffered } from '../login-policy.ts'
import type { Answer, Command, Session } from '../session.ts'

/** Logs in, RFC 5034 §4. In the `sasl` phase the arguments are the whole line: an answer to our challenge. */
export const auth: Command = {
  keyword: 'AUTH',
  phases: ['authorization', 'sasl'],

  run(session, args) {
    return session.phase === 'sasl' ? proceed(session, args) : begin(session, args)
  },
}

function begin(session: Session, args: string): Promise<Answer> | Reply {
  expectLoginOffered(session)
  // No RFC has it: AUTH alone lists the mechanisms, which agents older than CAPA ask for.
  if (args.trim() === '')
    return ok('', { kind: 'lines', lines: mechanismsFor(session.tls?.client?.accounts ?? []).keys() })
  const [name = '', initial, ...more] = args.split(' ')
  const mechanism = mechanismsFor(session.tls?.client?.accounts ?? []).get(name.toUpperCase())
  if (mechanism === undefined) throw refuse('This mechanism is not offered')
  if (more.length > 0) throw misuse('Cannot read AUTH: expected a mechanism and one response')
  const response = initial === undefined ? null : decodeInitialResponse(initial)
  if (initial !== undefined && response === null) throw misuse('Cannot read AUTH: this is no base64')
  session.exchange = mechanism.start()
  return step(session, session.exchange.begin(response))
}

function proceed(session: Session, line: string): Promise<Answer> | Reply {
  const exchange = session.exchange!
  session.phase = 'authorization'
  // RFC 5034 §4: a lone asterisk cancels.
  if (line === '*') throw refuse('Log-in cancelled')
  const response = decodeBase64Line(line)
  if (response === null) throw misuse('Cannot read the response: this is no base64')
  return step(session, exchange.next(response))
}

function step(session: Session, result: SaslStep): Promise<Answer> | Reply {
  if (result.kind === 'challenge') {
    session.phase = 'sasl'
    return { status: '+', code: null, text: encodeBase64(result.challenge) }
  }
  session.exchange = null
  if (result.kind === 'malformed') throw misuse(`Cannot read AUTH: ${result.reason}`)
  return logIn(session, result.credentials)
}
