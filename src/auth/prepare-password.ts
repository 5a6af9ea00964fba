/** Octets of a password in UTF-8; longer ones are nobody's, and hashing them would be work for a stranger. */
export const passwordOctets = 1_024

/**
 * Brings a password into the form that is hashed: OpaqueString, RFC 8265 §4.2, so that the same keys pressed on two
 * machines give the same octets.
 *
 * @returns Null when no account can have this password: empty, too long, or with control characters.
 */
export function preparePassword(password: string): string | null {
  const prepared = password.replace(/\p{Zs}/gu, ' ').normalize('NFC')
  if (prepared === '' || /[\p{Cc}\p{Cs}]/u.test(prepared)) return null
  return Buffer.byteLength(prepared) > passwordOctets ? null : prepared
}
