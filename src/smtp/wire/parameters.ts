import type { Cursor } from '../../base/cursor.ts'
import { refuse, type Refusal } from './reply.ts'

/** Keyword in capitals and value, null without `=`; one char per octet. */
export type Parameters = ReadonlyMap<string, string | null>

const none: Parameters = new Map()

/**
 * Mail-parameters = esmtp-param *(SP esmtp-param), RFC 5321 §4.1.2.
 *
 * @throws {Refusal} 501 for bad syntax or a keyword given twice.
 */
export function parseParameters(cursor: Cursor, what: 'MAIL' | 'RCPT'): Parameters {
  if (cursor.atEnd) return none
  const parameters = new Map<string, string | null>()
  for (;;) {
    const before = cursor.position
    cursor.skipSpaces()
    if (cursor.atEnd) return parameters
    if (cursor.position === before)
      throw refuse(501, '5.5.4', `Cannot read ${what}: expected a space after >`)
    const keyword = cursor.match(/[A-Za-z0-9][A-Za-z0-9-]*/y)?.toUpperCase()
    if (keyword === undefined) throw refuse(501, '5.5.4', `Cannot read ${what}: a parameter has no keyword`)
    let value: string | null = null
    if (cursor.accept('=')) {
      // RFC 6531 §3.3 lets UTF-8 into values.
      value = cursor.match(/[\x21-\x3c\x3e-\x7e\x80-\xff]+/y)
      if (value === null) throw badValue(what, keyword, 'has no value after its =')
    }
    if (parameters.has(keyword)) throw badValue(what, keyword, 'is given twice')
    parameters.set(keyword, value)
  }
}

/** Parameters as they are written again: `KEYWORD=value`. */
export function formatParameters(parameters: Parameters): readonly string[] {
  return parameters.size === 0
    ? []
    : Array.from(parameters, ([keyword, value]) => (value === null ? keyword : `${keyword}=${value}`))
}

export function badValue(what: 'MAIL' | 'RCPT', keyword: string, why: string): Refusal {
  return refuse(501, '5.5.4', `Cannot read ${what}: ${keyword} ${why}`)
}

/** RFC 5321 §4.1.1.11 asks for 555 here, not 504. */
export function unknownParameter(what: 'MAIL' | 'RCPT', keyword: string): Refusal {
  return refuse(555, '5.5.4', `Cannot accept ${what}: parameter ${keyword} is unknown`)
}
