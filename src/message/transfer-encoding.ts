const LF = 10
const CR = 13
const SPACE = 32
const TAB = 9
const EQUALS = 61

/** RFC 2045 §6.7 and §6.8: encoded lines have at most 76 characters. */
const LINE_OCTETS = 76

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 to octets. What is not of the alphabet is passed over, RFC 2045 §6.8; padding in the midst does no harm. */
export function decodeBase64(octets: Uint8Array): Buffer {
  const buffer = view(octets)
  const padding = buffer.indexOf(EQUALS)
  if (padding < 0 || !/[A-Za-z0-9+/]/.test(buffer.toString('latin1', padding))) {
    return Buffer.from(buffer.toString('latin1'), 'base64')
  }
  return decodePiecewise(buffer)
}

/** Padding was followed by more, as when two encodings are put one after the other: each `=` begins anew. */
function decodePiecewise(octets: Uint8Array): Buffer {
  const values = new Int8Array(256).fill(-1)
  for (let value = 0; value < 64; value++) values[BASE64.charCodeAt(value)] = value
  const out = Buffer.allocUnsafe(octets.length)
  let length = 0
  let bits = 0
  let bitCount = 0
  for (const octet of octets) {
    const value = values[octet] as number
    if (octet === EQUALS) bitCount = 0
    if (value < 0) continue
    bits = ((bits << 6) | value) & 0xffff
    bitCount += 6
    if (bitCount < 8) continue
    bitCount -= 8
    out[length++] = (bits >> bitCount) & 0xff
  }
  return out.subarray(0, length)
}

/** Octets to base64, in lines of 76 characters that end with CRLF. */
export function encodeBase64(octets: Uint8Array): string {
  const text = view(octets).toString('base64')
  const lines: string[] = []
  for (let at = 0; at < text.length; at += LINE_OCTETS) lines.push(text.slice(at, at + LINE_OCTETS))
  return lines.length === 0 ? '' : lines.join('\r\n') + '\r\n'
}

/** The value of a hexadecimal digit, -1 for anything else. Lower case is tolerated, RFC 2045 §6.7. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 65 && code <= 70) return code - 55
  return code >= 97 && code <= 102 ? code - 87 : -1
}

/** Quoted-printable to octets, RFC 2045 §6.7. An `=` that begins nothing stands for itself. */
export function decodeQuotedPrintable(octets: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(octets.length)
  let length = 0
  // White space waits here: at a line's end it was added by transport and goes, RFC 2045 §6.7 rule 3.
  let blanksFrom = -1
  const end = octets.length
  for (let index = 0; index < end; index++) {
    const octet = octets[index] as number
    if (octet === SPACE || octet === TAB) {
      if (blanksFrom < 0) blanksFrom = length
      out[length++] = octet
      continue
    }
    if ((octet === CR || octet === LF) && blanksFrom >= 0) length = blanksFrom
    blanksFrom = -1
    if (octet !== EQUALS) {
      out[length++] = octet
      continue
    }
    const after = softBreakEnd(octets, index + 1)
    if (after >= 0) {
      index = after - 1
      continue
    }
    const high = hexDigit(octets[index + 1] ?? 0)
    const low = hexDigit(octets[index + 2] ?? 0)
    if (high >= 0 && low >= 0) {
      out[length++] = high * 16 + low
      index += 2
    } else out[length++] = octet
  }
  return out.subarray(0, blanksFrom >= 0 ? blanksFrom : length)
}

/** Index after `*WSP [CR] LF` or the end of everything at `at`; -1 when something else stands there. */
function softBreakEnd(octets: Uint8Array, at: number): number {
  let index = at
  while (octets[index] === SPACE || octets[index] === TAB) index++
  if (octets[index] === CR && octets[index + 1] === LF) return index + 2
  return octets[index] === LF || index >= octets.length ? index + 1 : -1
}

/** Octets to quoted-printable; CRLF stays a line end, every other control and 8-bit octet is written as `=XX`. */
export function encodeQuotedPrintable(octets: Uint8Array): string {
  const lines: string[] = []
  let line = ''
  const put = (piece: string) => {
    if (line.length + piece.length >= LINE_OCTETS) {
      lines.push(line + '=')
      line = ''
    }
    line += piece
  }
  for (let index = 0; index < octets.length; index++) {
    const octet = octets[index] as number
    if (octet === CR && octets[index + 1] === LF) {
      lines.push(line)
      line = ''
      index++
      continue
    }
    const next = octets[index + 1]
    const atLineEnd = next === undefined || (next === CR && octets[index + 2] === LF)
    const blank = octet === SPACE || octet === TAB
    const plain = blank ? !atLineEnd : octet > SPACE && octet < 127 && octet !== EQUALS
    put(plain ? String.fromCharCode(octet) : '=' + octet.toString(16).toUpperCase().padStart(2, '0'))
  }
  return [...lines, line].join('\r\n')
}

/**
 * Undoes a Content-Transfer-Encoding.
 *
 * @param encoding Lower case. RFC 2045 §6.4: what is not known is left as it is.
 */
export function decodeTransferEncoding(octets: Uint8Array, encoding: string): Uint8Array {
  if (encoding === 'base64') return decodeBase64(octets)
  return encoding === 'quoted-printable' ? decodeQuotedPrintable(octets) : octets
}

function view(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length)
}
