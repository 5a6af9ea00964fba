import {
  base64LineOctets,
  decodeBase64Line,
  decodeInitialResponse,
  encodeBase64,
} from '../../../sasl/base64.ts'
import { mechanismsFor } from '../../../sasl/mechanisms.ts'
import { bad, refuse } from '../../wire/refusal.ts'
import { continuation } from '../../wire/response.ts'
import { assertLoginOffered, logIn } from '../log-in.ts'
import type { Handlers, Session } from '../session.ts'

/** RFC 3501 §6.2.2, with an initial response as in RFC 4959 §3. */
export const authenticate: Handlers['AUTHENTICATE'] = {
  state: 'not-authenticated',

  async run(session, { mechanism: name, initial }) {
    const mechanism = mechanismsFor(session.dialogue.certified).get(name)
    if (mechanism === undefined) throw refuse('CANNOT', 'This mechanism is not offered')
    assertLoginOffered(session)
    const response = initial === null ? null : decodeInitialResponse(initial)
    if (initial !== null && response === null) throw bad('Cannot read AUTHENTICATE: this is no base64')
    const exchange = mechanism.start()
    let step = exchange.begin(response)
    while (step.kind === 'challenge') step = exchange.next(await ask(session, step.challenge))
    if (step.kind === 'malformed') throw bad(`Cannot read AUTHENTICATE: ${step.reason}`)
    return logIn(session, step.credentials)
  },
}

async function ask(session: Session, challenge: string): Promise<string> {
  session.dialogue.write(continuation(encodeBase64(challenge)))
  const line = await session.dialogue.readLine(base64LineOctets)
  // RFC 3501 §6.2.2: a lone asterisk cancels.
  if (line === null || line === '*') throw bad('Log-in cancelled')
  const response = decodeBase64Line(line)
  if (response === null) throw bad('Cannot read the response: this is no base64')
  return response
}
