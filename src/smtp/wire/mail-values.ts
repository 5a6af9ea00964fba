/** The values of the parameters of MAIL. Each throws a `Refusal` of 501 for what is none. */
import { Cursor } from '../../base/cursor.ts'
import { badValue } from './parameters.ts'
import { formatMailbox, parseMailbox } from './path.ts'
import { Refusal } from './reply.ts'
import { decodeXtext } from './xtext.ts'

export type BodyType = '7BIT' | '8BITMIME' | 'BINARYMIME'

/** Not before a time: so many seconds from now, or milliseconds since 1970. */
export type Hold =
  | { readonly kind: 'for'; readonly seconds: number }
  | { readonly kind: 'until'; readonly at: number }

export interface DeliverBy {
  /** From now; below zero only with `notify`: it is late already. */
  readonly seconds: number
  readonly mode: 'return' | 'notify'
  readonly trace: boolean
}

/** A keyword that takes no value. */
export function flag(keyword: string, value: string | null): true {
  if (value !== null) throw badValue('MAIL', keyword, 'takes no value')
  return true
}

/** size-value = 1*20DIGIT, RFC 1870 §4. */
export function octetCount(value: string | null): number {
  if (value === null || !/^[0-9]{1,20}$/.test(value)) throw badValue('MAIL', 'SIZE', 'is not a number')
  return Number(value)
}

/** RFC 6152 §2, RFC 3030 §3. */
export function bodyType(value: string | null, binary: boolean): BodyType {
  const upper = value?.toUpperCase()
  if (upper === '7BIT' || upper === '8BITMIME') return upper
  if (upper === 'BINARYMIME' && binary) return upper
  throw badValue('MAIL', 'BODY', `is neither 7BIT nor 8BITMIME${binary ? ' nor BINARYMIME' : ''}`)
}

/** RFC 4954 §5: xtext of a mailbox, or `<>`. A name that is no address, as sendmail writes it, tells us as little. */
export function identity(value: string | null): string {
  const decoded = value === null ? null : decodeXtext(value)
  if (decoded === null || !/^[\x20-\x7e\x80-\xff]+$/.test(decoded))
    throw badValue('MAIL', 'AUTH', 'is no xtext')
  const cursor = new Cursor(decoded)
  try {
    const mailbox = parseMailbox(cursor, 'MAIL', { utf8: true })
    return cursor.atEnd ? formatMailbox(mailbox) : ''
  } catch (error) {
    if (error instanceof Refusal) return ''
    throw error
  }
}

/** RFC 3461 §4.3. */
export function returned(value: string | null): 'FULL' | 'HDRS' {
  const upper = value?.toUpperCase()
  if (upper === 'FULL' || upper === 'HDRS') return upper
  throw badValue('MAIL', 'RET', 'is neither FULL nor HDRS')
}

/** RFC 3461 §4.4: xtext of at most 100 chars, printable when it is decoded. */
export function envelopeId(value: string | null): string {
  const decoded = value === null || value.length > 100 ? null : decodeXtext(value)
  if (value === null || decoded === null || !/^[\x20-\x7e]+$/.test(decoded))
    throw badValue('MAIL', 'ENVID', 'is no xtext of up to 100 characters')
  return value
}

/** future-release-integer = %x31-39 *8DIGIT, RFC 4865. */
export function holdFor(value: string | null): Hold {
  if (value === null || !/^[1-9][0-9]{0,8}$/.test(value)) throw badValue('MAIL', 'HOLDFOR', 'is not a number')
  return { kind: 'for', seconds: Number(value) }
}

/** A date-time of RFC 3339 in UTC, RFC 4865. */
export function holdUntil(value: string | null): Hold {
  const known = value !== null && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/i.test(value)
  const at = known ? Date.parse(value.toUpperCase()) : Number.NaN
  if (Number.isNaN(at)) throw badValue('MAIL', 'HOLDUNTIL', 'is no time such as 2026-01-01T00:00:00Z')
  return { kind: 'until', at }
}

/** by-value = by-time ";" by-mode [by-trace] ; by-time = ["-" / "+"] 1*9DIGIT ; RFC 2852 */
export function deliverBy(value: string | null): DeliverBy {
  const found = /^([+-]?[0-9]{1,9});([RN])(T?)$/i.exec(value ?? '')
  if (found === null) throw badValue('MAIL', 'BY', 'is not of the form 120;R')
  const seconds = Number(found[1])
  const mode = found[2]!.toUpperCase() === 'R' ? 'return' : 'notify'
  // What is to be returned when it is late must have some time left.
  if (mode === 'return' && seconds <= 0) throw badValue('MAIL', 'BY', 'leaves no time')
  return { seconds, mode, trace: found[3] !== '' }
}

/** priority-value = (["-"] NZDIGIT) / "0", RFC 6710 §7. */
export function priority(value: string | null): number {
  if (value === null || !/^(?:0|-?[1-9])$/.test(value))
    throw badValue('MAIL', 'MT-PRIORITY', 'is not -9 to 9')
  return Number(value)
}

/** Solicitation-keywords = word *("," word) ; word = ALPHA *("." / "-" / "_" / ":" / ALPHA / DIGIT), RFC 3865 */
const solicitationPattern = /^[a-z][a-z0-9._:-]*(?:,[a-z][a-z0-9._:-]*)*$/i

/** @returns As written. */
export function solicitation(value: string | null): readonly string[] {
  if (value === null || value.length > 1_000 || !solicitationPattern.test(value))
    throw badValue('MAIL', 'SOLICIT', 'is no list of keywords such as net.example:ADV')
  return value.split(',')
}
