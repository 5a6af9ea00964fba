/** Longest line of an AUTH exchange without CRLF, RFC 4954 §4.5; POP3 and IMAP take the same. */
export const base64LineOctets = 12_288

/**
 * Reads one line of a SASL exchange as all our protocols carry it, RFC 4648 §4: no blanks, padding complete, unused
 * bits zero. Other spellings of the same octets are refused (RFC 4648 §3.5 lets us), so that one secret has one form.
 *
 * @param text The line without CRLF, one char per octet.
 * @returns One char per octet; null when the line is no base64 or longer than `base64LineOctets`.
 */
export function decodeBase64Line(text: string): string | null {
  if (text.length > base64LineOctets) return null
  const octets = Buffer.from(text, 'base64')
  if (octets.toString('base64') !== text) return null
  return octets.toString('latin1')
}

/**
 * Reads an initial response that stands on the command line: `=` is one of no octets, RFC 4954 §4, RFC 4959 §3.
 *
 * @returns As `decodeBase64Line`.
 */
export function decodeInitialResponse(text: string): string | null {
  if (text === '=') return ''
  return text === '' ? null : decodeBase64Line(text)
}

/** @param octets One char per octet. */
export function encodeBase64(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('base64')
}
