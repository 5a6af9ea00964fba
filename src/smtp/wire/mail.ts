import { Cursor } from '../../base/cursor.ts'
import * as read from './mail-values.ts'
import {
  badValue,
  formatParameters,
  type Parameters,
  parseParameters,
  unknownParameter,
} from './parameters.ts'
import { type Mailbox, parsePath, refuseUtf8 } from './path.ts'
import { refuse } from './reply.ts'

/** What MAIL may say besides the sender: keywords in capitals; `BINARYMIME` stands for that value of BODY. */
export type MailOffer = ReadonlySet<string>

/** MAIL, RFC 5321 §4.1.1.2. */
export interface MailCommand extends MailParameters {
  /** Null stands for `<>`: the message is itself a report, RFC 5321 §4.5.5. */
  readonly reversePath: Mailbox | null
  /** All parameters as written, keywords in capitals: `SIZE=10`. */
  readonly parameters: readonly string[]
}

export interface MailParameters {
  /** The client's estimate in octets, CRLFs counted, RFC 1870 §5. Null when not declared. */
  readonly size: number | null
  /** RFC 6152 §2 and RFC 3030 §3; null when not declared. */
  readonly body: read.BodyType | null
  /** Envelope or header may hold UTF-8, RFC 6531 §3.4. */
  readonly smtpUtf8: boolean
  /** Who handed it in, as somebody before us says, RFC 4954 §5; '' is `<>`: unknown. Null: not said. */
  readonly auth: string | null
  /** How much of the message a report brings back, RFC 3461 §4.3. */
  readonly ret: 'FULL' | 'HDRS' | null
  /** xtext as received, RFC 3461 §4.4. */
  readonly envid: string | null
  /** RFC 8689 §2. */
  readonly requireTls: boolean
  /** RFC 4865. */
  readonly hold: read.Hold | null
  /** RFC 2852. */
  readonly deliverBy: read.DeliverBy | null
  /** RFC 6710 §4: -9 to 9. */
  readonly priority: number | null
  /** RFC 3865: classes of solicitation it belongs to. */
  readonly solicitation: readonly string[]
}

const noParameters: MailParameters = {
  size: null,
  body: null,
  smtpUtf8: false,
  auth: null,
  ret: null,
  envid: null,
  requireTls: false,
  hold: null,
  deliverBy: null,
  priority: null,
  solicitation: [],
}

/**
 * Reads what follows the verb: `FROM:` Reverse-path [SP Mail-parameters].
 *
 * @param args The command line after `MAIL `, without CRLF, one char per octet.
 * @param offer What EHLO announced; nothing after HELO.
 * @throws {Refusal} 501 for bad syntax, 550 for UTF-8 without SMTPUTF8, 555 for a parameter that was not announced.
 */
export function parseMail(args: string, offer: MailOffer): MailCommand {
  const cursor = new Cursor(args)
  cursor.skipSpaces()
  if (!cursor.accept('FROM:')) throw refuse(501, '5.5.4', 'Cannot read MAIL: expected FROM:')
  // RFC 5321 §3.3 forbids a space here; the lecture and old clients write it, docs/decisions/001.
  cursor.skipSpaces()
  // The parameter that permits UTF-8 stands behind the path that may have it.
  const reversePath = cursor.accept('<>') ? null : parsePath(cursor, 'MAIL', { utf8: true })
  const path = cursor.passed
  const parameters = parseParameters(cursor, 'MAIL')
  const said = parameters.size === 0 ? noParameters : readParameters(parameters, offer)
  if (!said.smtpUtf8) refuseUtf8(path, 'MAIL')
  return { ...said, reversePath, parameters: formatParameters(parameters) }
}

type Said = { -readonly [name in keyof MailParameters]: MailParameters[name] }

const readers: Readonly<Record<string, (said: Said, value: string | null, offer: MailOffer) => void>> = {
  SIZE: (said, value) => (said.size = read.octetCount(value)),
  BODY: (said, value, offer) => (said.body = read.bodyType(value, offer.has('BINARYMIME'))),
  SMTPUTF8: (said, value) => (said.smtpUtf8 = read.flag('SMTPUTF8', value)),
  AUTH: (said, value) => (said.auth = read.identity(value)),
  RET: (said, value) => (said.ret = read.returned(value)),
  ENVID: (said, value) => (said.envid = read.envelopeId(value)),
  REQUIRETLS: (said, value) => (said.requireTls = read.flag('REQUIRETLS', value)),
  HOLDFOR: (said, value) => (said.hold = read.holdFor(value)),
  HOLDUNTIL: (said, value) => (said.hold = read.holdUntil(value)),
  BY: (said, value) => (said.deliverBy = read.deliverBy(value)),
  SOLICIT: (said, value) => (said.solicitation = read.solicitation(value)),
  'MT-PRIORITY': (said, value) => (said.priority = read.priority(value)),
}

function readParameters(parameters: Parameters, offer: MailOffer): MailParameters {
  const said: Said = { ...noParameters }
  for (const [keyword, value] of parameters) {
    const reader = offer.has(keyword) ? readers[keyword] : undefined
    if (reader === undefined) throw unknownParameter('MAIL', keyword)
    reader(said, value, offer)
  }
  if (parameters.has('HOLDFOR') && parameters.has('HOLDUNTIL'))
    throw badValue('MAIL', 'HOLDFOR', 'and HOLDUNTIL exclude each other')
  return said
}
