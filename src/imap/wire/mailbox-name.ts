/**
 * Mailbox names on the wire: modified UTF-7, RFC 3501 §5.1.3, to and from the UTF-16 of our strings.
 *
 * Reading is strict: a name has exactly one encoding, so two spellings can never mean one mailbox, nor a control
 * character, a NUL or half a surrogate pair hide in one.
 */
import { refuse } from './refusal.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,'
const values = new Map([...alphabet].map((char, index) => [char, index]))

/**
 * Reads a mailbox name as a client wrote it.
 *
 * @param wire One char per octet.
 * @returns `INBOX` in capitals whatever its case, RFC 3501 §5.1.
 * @throws {Refusal} NO [CANNOT]: not modified UTF-7, or holds what no name of ours may hold.
 */
export function decodeMailboxName(wire: string): string {
  const name = decodeModifiedUtf7(wire)
  if (name === null) throw refuse('CANNOT', 'Cannot read mailbox name: not modified UTF-7')
  return canonicalInbox(name)
}

/** RFC 3501 §5.1: INBOX means the same in any case; so does the first part of INBOX/child. */
function canonicalInbox(name: string): string {
  if (!/^inbox(\/|$)/i.test(name)) return name
  return `INBOX${name.slice(5)}`
}

/** @returns Null when it is not the one valid encoding of a name. */
export function decodeModifiedUtf7(wire: string): string | null {
  let name = ''
  let position = 0
  while (position < wire.length) {
    const char = wire.charAt(position)
    const code = wire.charCodeAt(position)
    if (code < 0x20 || code > 0x7e) return null
    if (char !== '&') {
      name += char
      position++
      continue
    }
    const end = wire.indexOf('-', position)
    if (end < 0) return null
    if (end === position + 1) {
      name += '&'
    } else {
      const decoded = decodeShifted(wire.slice(position + 1, end))
      if (decoded === null) return null
      name += decoded
      // RFC 3501 §5.1.3: no null shifts: `&AOk-&AOk-` has to be written as one run.
      if (wire.charAt(end + 1) === '&' && wire.charAt(end + 2) !== '-') return null
    }
    position = end + 1
  }
  return name
}

/** The UTF-16 in one base64 run; null when it is not canonical. */
function decodeShifted(base64: string): string | null {
  let bits = 0
  let count = 0
  let text = ''
  for (const char of base64) {
    const value = values.get(char)
    if (value === undefined) return null
    bits = (bits << 6) | value
    count += 6
    if (count < 16) continue
    count -= 16
    text += String.fromCharCode((bits >> count) & 0xffff)
    bits &= (1 << count) - 1
  }
  // What is left over is padding: fewer than six bits, all zero.
  if (count >= 6 || bits !== 0 || text === '') return null
  // RFC 3501 §5.1.3: printable US-ASCII represents itself; controls have no place in a name.
  if (/[\x00-\x7f\x80-\x9f]/.test(text) || !text.isWellFormed()) return null
  return text
}

/** Writes a name for the wire. @param name Well-formed, without control characters. */
export function encodeMailboxName(name: string): string {
  if (/^[\x20-\x25\x27-\x7e]*$/.test(name)) return name
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${encodeShifted(run)}-`))
}

function encodeShifted(text: string): string {
  let bits = 0
  let count = 0
  let encoded = ''
  for (let i = 0; i < text.length; i++) {
    bits = (bits << 16) | text.charCodeAt(i)
    count += 16
    while (count >= 6) {
      count -= 6
      encoded += alphabet.charAt((bits >> count) & 63)
    }
    bits &= (1 << count) - 1
  }
  if (count > 0) encoded += alphabet.charAt((bits << (6 - count)) & 63)
  return encoded
}
