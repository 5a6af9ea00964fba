/** What EHLO announces in this session, and with it what MAIL may say. */
import { mechanismsFor } from '../../sasl/mechanisms.ts'
import type { MailOffer } from '../wire/mail.ts'
import { xclientAttributes } from '../wire/xclient.ts'
import { loginOffered } from './login-policy.ts'
import { announceNoSoliciting } from './solicitation.ts'
import type { Session } from './session.ts'

/** After HELO. */
export const nothingOffered: MailOffer = new Set()

interface Extension {
  /** As EHLO says it; null: it does not hold in this session. */
  announce(session: Session): string | null
  /** Of MAIL. */
  readonly parameters?: readonly string[]
}

const always = (text: string) => (): string => text
const submissionOnly = (text: (session: Session) => string) => (session: Session) =>
  session.options.role === 'submission' ? text(session) : null

const extensions: readonly Extension[] = [
  { announce: always('PIPELINING') },
  { announce: (session) => `SIZE ${session.messageOctets}`, parameters: ['SIZE'] },
  { announce: always('8BITMIME'), parameters: ['BODY'] },
  { announce: always('CHUNKING') },
  // RFC 3030 §3: a value of BODY, and no parameter of its own.
  { announce: always('BINARYMIME'), parameters: ['BINARYMIME'] },
  { announce: always('SMTPUTF8'), parameters: ['SMTPUTF8'] },
  { announce: always('DSN'), parameters: ['RET', 'ENVID'] },
  { announce: always('DELIVERBY'), parameters: ['BY'] },
  // RFC 6710 §4.1: only of those whom we know.
  { announce: submissionOnly(() => 'MT-PRIORITY'), parameters: ['MT-PRIORITY'] },
  { announce: submissionOnly(futureRelease), parameters: ['HOLDFOR', 'HOLDUNTIL'] },
  // RFC 8689 §2: never in the clear.
  { announce: ({ tls }) => (tls === null ? null : 'REQUIRETLS'), parameters: ['REQUIRETLS'] },
  { announce: ({ options, peer }) => (options.mayEtrn?.(peer.remoteAddress) === true ? 'ETRN' : null) },
  { announce: ({ options }) => announceNoSoliciting(options), parameters: ['SOLICIT'] },
  { announce: limits },
  { announce: ({ mayVouch }) => (mayVouch ? `XCLIENT ${xclientAttributes.join(' ')}` : null) },
  { announce: ({ enhanced }) => (enhanced ? 'ENHANCEDSTATUSCODES' : null) },
  // RFC 3207 §4.2: not again once TLS is up.
  { announce: ({ tls, options }) => (tls === null && options.tls !== null ? 'STARTTLS' : null) },
  { announce: login, parameters: ['AUTH'] },
]

export interface Offer {
  readonly lines: readonly string[]
  readonly parameters: MailOffer
}

export function makeOffer(session: Session): Offer {
  const lines: string[] = []
  // RFC 4954 §5: it may come from those who have logged in, and from relays that know AUTH.
  const parameters = new Set(['AUTH'])
  for (const { announce, parameters: keywords } of extensions) {
    const line = announce(session)
    if (line === null) continue
    lines.push(line)
    for (const keyword of keywords ?? []) parameters.add(keyword)
  }
  return { lines, parameters }
}

/** RFC 4865: the longest time in seconds, and the latest point in time. */
function futureRelease({ options: { limits, clock } }: Session): string {
  const latest = new Date(clock.now() + limits.futureReleaseMs).toISOString().replace(/\.\d+/, '')
  return `FUTURERELEASE ${Math.floor(limits.futureReleaseMs / 1000)} ${latest}`
}

/** RFC 9422 §4: a value has at most six digits. */
function limits({ options }: Session): string {
  const [mails, recipients] = [options.limits.mailsPerConnection, options.limits.recipients]
  return `LIMITS MAILMAX=${Math.min(mails, 999_999)} RCPTMAX=${Math.min(recipients, 999_999)}`
}

function login(session: Session): string | null {
  if (!loginOffered(session) || session.account !== null) return null
  return `AUTH ${[...mechanismsFor(session.tls?.client?.accounts ?? []).keys()].join(' ')}`
}
