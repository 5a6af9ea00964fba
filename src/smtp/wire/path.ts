import { isIPv4, isIPv6 } from 'node:net'
import type { Cursor } from '../../base/cursor.ts'
import { refuse, type Refusal } from './reply.ts'

/** An address as it stands in MAIL and RCPT, RFC 5321 §4.1.2. */
export interface Mailbox {
  /** Unquoted: what the quoted form means, not how it is written. Case as received. */
  readonly localPart: string
  /** Lower case A-labels, or an address literal in its brackets; '' only for `<Postmaster>`. */
  readonly domain: string
}

/** RFC 5321 §4.5.3.1.1 to §4.5.3.1.3. */
const localPartOctets = 64
const domainOctets = 255
const pathOctets = 256

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const dotString = new RegExp(`${atom}(?:\\.${atom})*`, 'y')
const quotedString = /"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"/y
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?'
// An underscore is no letter of RFC 5321 §4.1.2, but names of real hosts have it; reading forgives.
const domainName = new RegExp(
  `${label.replaceAll('A-Za-z0-9', 'A-Za-z0-9_')}(?:\\.${label.replaceAll('A-Za-z0-9', 'A-Za-z0-9_')})*`,
  'y',
)
const addressLiteral = /\[[\x21-\x5a\x5e-\x7e]+\]/y
/** A-d-l ":", RFC 5321 §4.1.2: accepted and ignored, §4.1.1.3. */
const sourceRoute = /@[A-Za-z0-9.-]+(?:,@[A-Za-z0-9.-]+)*:/y

/**
 * Path = "<" [ A-d-l ":" ] Mailbox ">"
 *
 * @param what Named in the error: `MAIL` or `RCPT`.
 * @param bare Whether `<Postmaster>` without a domain is allowed, RFC 5321 §4.1.1.3.
 * @throws {Refusal} 501 5.1.7 or 5.1.3 for bad syntax, 553 5.6.7 for octets over 127.
 */
export function parsePath(cursor: Cursor, what: 'MAIL' | 'RCPT', bare = false): Mailbox {
  const start = cursor.position
  if (!cursor.accept('<')) {
    throw badPath(what, 'put the address between < and >')
  }
  cursor.match(sourceRoute)
  const mailbox = parseMailbox(cursor, what, bare)
  if (!cursor.accept('>')) throw badPath(what, 'expected > after the address')
  if (cursor.position - start > pathOctets + 2) throw badPath(what, 'the path is too long')
  return mailbox
}

/**
 * Mailbox = Local-part "@" ( Domain / address-literal )
 *
 * @throws {Refusal} As for `parsePath`.
 */
export function parseMailbox(cursor: Cursor, what: 'MAIL' | 'RCPT', bare = false): Mailbox {
  const localPart = parseLocalPart(cursor, what)
  if (!cursor.accept('@')) {
    if (bare && localPart.toLowerCase() === 'postmaster') return { localPart, domain: '' }
    throw badPath(what, 'the address has no domain')
  }
  const literal = cursor.match(addressLiteral)
  if (literal !== null) {
    const address = literal.slice(1, -1)
    const known = isIPv4(address) || (/^ipv6:/i.test(address) && isIPv6(address.slice(5)))
    if (!known) throw badPath(what, 'the address literal is not one')
    return { localPart, domain: literal.toLowerCase() }
  }
  const domain = cursor.match(domainName)
  if (domain === null) throw badCharacter(cursor, what) ?? badPath(what, 'the domain is not one')
  if (domain.length > domainOctets) throw badPath(what, 'the domain is too long')
  return { localPart, domain: domain.toLowerCase() }
}

function parseLocalPart(cursor: Cursor, what: 'MAIL' | 'RCPT'): string {
  const plain = cursor.match(dotString)
  const quoted = plain === null ? cursor.match(quotedString) : null
  if (plain === null && quoted === null) {
    throw badCharacter(cursor, what) ?? badPath(what, 'the local part is not one')
  }
  const localPart = plain ?? quoted!.slice(1, -1).replace(/\\(.)/g, '$1')
  if (localPart.length > localPartOctets) throw badPath(what, 'the local part is too long')
  return localPart
}

function badPath(what: 'MAIL' | 'RCPT', why: string): Refusal {
  return refuse(501, what === 'MAIL' ? '5.1.7' : '5.1.3', `Cannot read ${what}: ${why}`)
}

/** RFC 6531 §3.5: an internationalised address needs SMTPUTF8, which EHLO did not announce. */
function badCharacter(cursor: Cursor, what: 'MAIL' | 'RCPT'): Refusal | null {
  return cursor.next > '\x7f'
    ? refuse(553, '5.6.7', `Cannot read ${what}: the address is not in ASCII`)
    : null
}

/** The address as it is written again: quoted when it must be. */
export function formatMailbox(mailbox: Mailbox): string {
  const { localPart, domain } = mailbox
  dotString.lastIndex = 0
  const plain = dotString.exec(localPart)?.[0] === localPart
  const local = plain ? localPart : `"${localPart.replace(/(["\\])/g, '\\$1')}"`
  return domain === '' ? local : `${local}@${domain}`
}

/**
 * Mail-parameters = esmtp-param *(SP esmtp-param), RFC 5321 §4.1.2.
 *
 * @returns Keyword in capitals and value; null without `=`.
 * @throws {Refusal} 501 for bad syntax or a keyword given twice.
 */
export function parseParameters(cursor: Cursor, what: 'MAIL' | 'RCPT'): Map<string, string | null> {
  const parameters = new Map<string, string | null>()
  for (;;) {
    const before = cursor.position
    cursor.skipSpaces()
    if (cursor.atEnd) return parameters
    if (cursor.position === before)
      throw refuse(501, '5.5.4', `Cannot read ${what}: expected a space after >`)
    const keyword = cursor.match(/[A-Za-z0-9][A-Za-z0-9-]*/y)
    if (keyword === null) throw refuse(501, '5.5.4', `Cannot read ${what}: a parameter has no keyword`)
    const value = cursor.accept('=') ? cursor.match(/[\x21-\x3c\x3e-\x7e]+/y) : null
    if (parameters.has(keyword.toUpperCase())) {
      throw refuse(501, '5.5.4', `Cannot read ${what}: parameter ${keyword.toUpperCase()} is given twice`)
    }
    parameters.set(keyword.toUpperCase(), value)
  }
}

/** Parameters as they are written again: `KEYWORD=value`. */
export function formatParameters(parameters: ReadonlyMap<string, string | null>): string[] {
  return Array.from(parameters, ([keyword, value]) => (value === null ? keyword : `${keyword}=${value}`))
}
