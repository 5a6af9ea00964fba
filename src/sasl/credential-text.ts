/** Octets of a login, a password or an authorisation identity; RFC 4616 §2 asks for at least 255. */
export const credentialOctets = 1_024

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Turns the octets of a login or password into text.
 *
 * @param octets One char per octet.
 * @returns Null when they are too many or not UTF-8, or hold NUL, CR or LF, which nobody can type.
 */
export function readCredential(octets: string): string | null {
  if (octets.length > credentialOctets || /[\0\r\n]/.test(octets)) return null
  try {
    return utf8.decode(Buffer.from(octets, 'latin1'))
  } catch {
    return null
  }
}
