import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'
import type { Cursor } from '../../base/cursor.ts'
import { refuse, type Refusal } from './reply.ts'

/** An address as it stands in MAIL and RCPT, RFC 5321 §4.1.2. */
export interface Mailbox {
  /** Unquoted: what the quoted form means, not how it is written. Case as received; text, UTF-8 decoded. */
  readonly localPart: string
  /** Lower case A-labels, or an address literal in its brackets; '' only for `<Postmaster>`. */
  readonly domain: string
}

/** RFC 5321 §4.5.3.1.2 and §4.5.3.1.3. The 64 of a local part are no bound of ours: docs/decisions/276. */
const domainOctets = 255
const pathOctets = 256

const atext = "A-Za-z0-9!#$%&'*+/=?^_`{|}~"
// An underscore is no letter of RFC 5321 §4.1.2, but names of real hosts have it; reading forgives.
const letter = 'A-Za-z0-9_'

/** Words with dots between them. @param further What may stand in them besides; RFC 6531 §3.3 adds UTF-8. */
const dotString = (further: string): string => `[${atext}${further}-]+(?:\\.[${atext}${further}-]+)*`
const quotedString = (further: string): string =>
  `"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e${further}]|\\\\[\\x20-\\x7e])*"`
const domainName = (further: string): string => {
  const label = `[${letter}${further}](?:[${letter}${further}-]*[${letter}${further}])?`
  return `${label}(?:\\.${label})*`
}
const grammar = (further: string) => ({
  dotString: new RegExp(dotString(further), 'y'),
  quotedString: new RegExp(quotedString(further), 'y'),
  domainName: new RegExp(domainName(further), 'y'),
})
const ascii = grammar('')
const international = grammar('\\x80-\\xff')
/** Nearly all paths: in ASCII, without route, quotes or literal. */
const plainPath = new RegExp(`<(${dotString('')})@(${domainName('')})>`, 'y')
/** As `dotString`, of decoded text. */
const plainLocalPart = new RegExp(`^${dotString('\\x80-\\u{10ffff}')}$`, 'u')
const addressLiteral = /\[[\x21-\x5a\x5e-\x7e]+\]/y
/** A-d-l ":", RFC 5321 §4.1.2: accepted and ignored, §4.1.1.3. */
const sourceRoute = /@[A-Za-z0-9.-]+(?:,@[A-Za-z0-9.-]+)*:/y

export interface PathForm {
  /** Whether `<Postmaster>` without a domain is allowed, RFC 5321 §4.1.1.3. */
  readonly bare?: boolean
  /** Whether UTF-8 is allowed, RFC 6531 §3.3. */
  readonly utf8?: boolean
}

/**
 * Path = "<" [ A-d-l ":" ] Mailbox ">"
 *
 * @param what Named in the error: `MAIL` or `RCPT`.
 * @throws {Refusal} 501 5.1.7 or 5.1.3 for bad syntax, 550 or 553 5.6.7 for octets over 127.
 */
export function parsePath(cursor: Cursor, what: 'MAIL' | 'RCPT', form: PathForm = {}): Mailbox {
  const start = cursor.position
  const [all = '', localPart = '', domain = ''] = cursor.groups(plainPath) ?? []
  if (all !== '' && all.length <= pathOctets + 2) return { localPart, domain: domain.toLowerCase() }
  // What it is, or what is wrong with it, is found step by step.
  cursor.position = start
  if (!cursor.accept('<')) {
    throw badPath(what, 'put the address between < and >')
  }
  cursor.match(sourceRoute)
  const mailbox = parseMailbox(cursor, what, form)
  if (!cursor.accept('>')) throw badCharacter(cursor, what) ?? badPath(what, 'expected > after the address')
  if (cursor.position - start > pathOctets + 2) throw badPath(what, 'the path is too long')
  return mailbox
}

/**
 * Mailbox = Local-part "@" ( Domain / address-literal )
 *
 * @throws {Refusal} As for `parsePath`.
 */
export function parseMailbox(cursor: Cursor, what: 'MAIL' | 'RCPT', form: PathForm = {}): Mailbox {
  const known = form.utf8 === true && hasUtf8(cursor.text) ? international : ascii
  const localPart = parseLocalPart(cursor, what, known)
  if (!cursor.accept('@')) {
    if (form.bare && localPart.toLowerCase() === 'postmaster') return { localPart, domain: '' }
    throw badCharacter(cursor, what) ?? badPath(what, 'the address has no domain')
  }
  const literal = cursor.match(addressLiteral)
  if (literal !== null) {
    const address = literal.slice(1, -1)
    const genuine = isIPv4(address) || (/^ipv6:/i.test(address) && isIPv6(address.slice(5)))
    if (!genuine) throw badPath(what, 'the address literal is not one')
    return { localPart, domain: literal.toLowerCase() }
  }
  const written = cursor.match(known.domainName)
  if (written === null) throw badCharacter(cursor, what) ?? badPath(what, 'the domain is not one')
  const domain = hasUtf8(written) ? aLabels(decodeUtf8(written, what)) : written.toLowerCase()
  if (domain === null) throw badPath(what, 'the domain is not one')
  if (domain.length > domainOctets) throw badPath(what, 'the domain is too long')
  return { localPart, domain }
}

function parseLocalPart(cursor: Cursor, what: 'MAIL' | 'RCPT', known: typeof ascii): string {
  const plain = cursor.match(known.dotString)
  const quoted = plain === null ? cursor.match(known.quotedString) : null
  if (plain === null && quoted === null) {
    throw badCharacter(cursor, what) ?? badPath(what, 'the local part is not one')
  }
  const localPart = plain ?? quoted!.slice(1, -1).replace(/\\(.)/g, '$1')
  return hasUtf8(localPart) ? decodeUtf8(localPart, what) : localPart
}

/** Whether a text of one char per octet has octets over 127. */
function hasUtf8(text: string): boolean {
  return /[\x80-\xff]/.test(text)
}

function decodeUtf8(octets: string, what: 'MAIL' | 'RCPT'): string {
  const text = Buffer.from(octets, 'latin1').toString('utf8')
  if (text.includes('\ufffd')) throw badPath(what, 'the address is not in UTF-8')
  return text
}

/**
 * RFC 5890 §2.3.2.1. Only what is a U-label already: a full-width letter, or a dot of another script, would be mapped to
 * another domain than the one that is written.
 */
function aLabels(uLabels: string): string | null {
  const wanted = uLabels.normalize('NFC').toLowerCase()
  const found = domainToASCII(wanted)
  return found !== '' && domainToUnicode(found) === wanted ? found : null
}

/**
 * RFC 6531 §3.5: an internationalised address needs SMTPUTF8.
 *
 * @param path As written, one char per octet.
 * @throws {Refusal} 5.6.7.
 */
export function refuseUtf8(path: string, what: 'MAIL' | 'RCPT'): void {
  if (hasUtf8(path)) throw notAscii(what)
}

function badPath(what: 'MAIL' | 'RCPT', why: string): Refusal {
  return refuse(501, what === 'MAIL' ? '5.1.7' : '5.1.3', `Cannot read ${what}: ${why}`)
}

function badCharacter(cursor: Cursor, what: 'MAIL' | 'RCPT'): Refusal | null {
  return cursor.next > '\x7f' ? notAscii(what) : null
}

/** RFC 6531 §3.5 has a code for each. */
function notAscii(what: 'MAIL' | 'RCPT'): Refusal {
  const text = `Cannot read ${what}: the address is not in ASCII, and SMTPUTF8 was not said`
  return refuse(what === 'MAIL' ? 550 : 553, '5.6.7', text)
}

/** The address as it is written again: quoted when it must be. */
export function formatMailbox(mailbox: Mailbox): string {
  const { localPart, domain } = mailbox
  const plain = plainLocalPart.test(localPart)
  const local = plain ? localPart : `"${localPart.replace(/(["\\])/g, '\\$1')}"`
  return domain === '' ? local : `${local}@${domain}`
}
