import { Cursor } from '../../base/cursor.ts'
import { badValue, formatParameters, parseParameters, unknownParameter } from './parameters.ts'
import { type Mailbox, parsePath } from './path.ts'
import { refuse } from './reply.ts'
import { decodeXtext } from './xtext.ts'

/** RCPT, RFC 5321 §4.1.1.3. */
export interface RcptCommand {
  /** The domain is '' for `<Postmaster>`, which every server accepts. */
  readonly forwardPath: Mailbox
  /** `NEVER`, or of SUCCESS, FAILURE and DELAY those wanted, in capitals, comma between; RFC 3461 §4.1. */
  readonly notify: string | null
  /** `addr-type;xtext` as received, RFC 3461 §4.2. */
  readonly orcpt: string | null
  /** All of them as written, keywords in capitals. */
  readonly parameters: readonly string[]
}

export interface RcptOffer {
  /** Whether EHLO announced DSN. */
  readonly dsn: boolean
  /** Whether MAIL said SMTPUTF8. */
  readonly utf8: boolean
}

/**
 * Reads what follows the verb: `TO:` Forward-path [SP Rcpt-parameters].
 *
 * @param args The command line after `RCPT `, without CRLF, one char per octet.
 * @throws {Refusal} 501 for bad syntax, 553 for UTF-8 without SMTPUTF8, 555 for a parameter that was not announced.
 */
export function parseRcpt(args: string, offer: RcptOffer): RcptCommand {
  const cursor = new Cursor(args)
  cursor.skipSpaces()
  if (!cursor.accept('TO:')) throw refuse(501, '5.5.4', 'Cannot read RCPT: expected TO:')
  // As in MAIL, docs/decisions/001.
  cursor.skipSpaces()
  const forwardPath = parsePath(cursor, 'RCPT', { bare: true, utf8: offer.utf8 })
  const parameters = parseParameters(cursor, 'RCPT')
  let notify: string | null = null
  let orcpt: string | null = null
  for (const [keyword, value] of parameters) {
    if (offer.dsn && keyword === 'NOTIFY') notify = parseNotify(value)
    else if (offer.dsn && keyword === 'ORCPT') orcpt = parseOrcpt(value, offer.utf8)
    else throw unknownParameter('RCPT', keyword)
  }
  return { forwardPath, notify, orcpt, parameters: formatParameters(parameters) }
}

const occasions: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'DELAY'])

/** notify-esmtp-value = "NEVER" / 1#notify-list-element, RFC 3461 §4.1. */
function parseNotify(value: string | null): string {
  const upper = value?.toUpperCase() ?? ''
  const wanted = upper.split(',')
  const known = wanted.every((word) => occasions.has(word)) && new Set(wanted).size === wanted.length
  if (upper !== 'NEVER' && !known)
    throw badValue('RCPT', 'NOTIFY', 'is neither NEVER nor a list of SUCCESS, FAILURE, DELAY')
  return upper
}

/** original-recipient-address = addr-type ";" xtext, of at most 500 chars: RFC 3461 §4.2. */
function parseOrcpt(value: string | null, utf8: boolean): string {
  const found = value === null || value.length > 500 ? null : /^([A-Za-z0-9-]+);(.+)$/.exec(value)
  if (value === null || found === null) throw badValue('RCPT', 'ORCPT', 'is not of the form rfc822;address')
  const [, type = '', address = ''] = found
  // RFC 6533 §3: of the type utf-8 it may be written as UTF-8 where SMTPUTF8 was said.
  const international = type.toLowerCase() === 'utf-8' && utf8
  const plain = international ? address.replace(/[\x80-\xff]/g, '') : address
  if (decodeXtext(plain) === null) throw badValue('RCPT', 'ORCPT', 'is no xtext')
  return international ? Buffer.from(value, 'latin1').toString('utf8') : value
}
