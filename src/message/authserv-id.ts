/** Who claims to have made an Authentication-Results field. */
import { domainToASCII, domainToUnicode } from 'node:url'
import { decodeUtf8OrLatin1 } from './charset.ts'

/**
 * authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( [CFWS] ";" … ) ; RFC 8601 §2.2
 *
 * authserv-id = value ; RFC 2045 §5.1: a token or a quoted-string. Octets over 127: RFC 8601 §2.5.
 *
 * @param value Of the field, as written, still folded, one char per octet.
 * @returns The identifier in lower case, without a dot at its end, U-labels as A-labels; and the version, null when it is
 *   left out. Null when it is no such field.
 */
export function readAuthservId(value: string): { id: string; version: string | null } | null {
  const at = afterComments(value, 0)
  const written = /^(?:"((?:[^"\\]|\\[\s\S])*)"|([!#$%&'*+\-.^_`{|}~A-Za-z0-9\x80-\xff]+))/.exec(
    value.slice(at),
  )
  if (written === null) return null
  const [whole, quoted, token = ''] = written
  const text = quoted === undefined ? token : quoted.replace(/\\([\s\S])/g, '$1')
  const next = afterComments(value, at + whole.length)
  const version = /^[0-9]*/.exec(value.slice(next))![0]
  const end = afterComments(value, next + version.length)
  if (end < value.length && value[end] !== ';') return null
  return { id: comparable(text), version: version === '' ? null : version }
}

/**
 * Whether a field that came from outside must go, RFC 8601 §5: it bears our name, or a version that we do not know; or it
 * has our name where the identifier stands, in a form that we cannot read and somebody else might.
 *
 * @param name Our authserv-id, in A-labels.
 */
export function isForgedResult(value: string, name: string): boolean {
  const own = comparable(name)
  const read = readAuthservId(value)
  if (read !== null) return read.id === own || (read.version !== null && read.version !== '1')
  const text = decodeUtf8OrLatin1(value).replaceAll('\\', '').toLowerCase()
  return text.includes(own) || text.includes(domainToUnicode(own))
}

/** Passes white space and comments, which may lie one inside the other: RFC 5322 §3.2.2. */
function afterComments(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text[at]!
    if (char === '\\' && depth > 0) at++
    else if (char === '(') depth++
    else if (char === ')' && depth > 0) depth--
    else if (depth === 0 && !/\s/.test(char)) return at
  }
  // A comment that nobody closes hides nothing from those who know no comments.
  return depth > 0 ? from : text.length
}

function comparable(text: string): string {
  const plain = decodeUtf8OrLatin1(text).trim().toLowerCase().replace(/\.$/, '')
  return /[^\x00-\x7f]/.test(plain) ? domainToASCII(plain) || plain : plain
}
