import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'

/** The PHC string format of the one kind of hash that log-in accepts, RFC 9106. */
const phcHash =
  /^\$argon2id\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/
/** Any other scheme in that format: surely no password that somebody chose. */
const otherHash = /^(?:\$(?:argon2[id]|2[aby]|[156]|scrypt|pbkdf2[^$]*|y)\$|\{[A-Z0-9.-]+\}\S)/

/**
 * What is kept for a password. Who brings accounts from elsewhere gives the finished hash instead.
 *
 * @param secret A password, or a PHC string of argon2id.
 */
export async function secretToHash(
  options: Pick<AdminOptions, 'hashPassword'>,
  secret: string,
  line: number | null = null,
): Promise<string> {
  if (phcHash.test(secret)) return secret
  if (secret.startsWith('$argon2id$') || otherHash.test(secret)) {
    const remedy = 'Give the password itself, or a hash $argon2id$v=19$m=…,t=…,p=…$salt$tag.'
    throw new AdminError(
      400,
      'bad-hash',
      'This looks like a password hash of a kind not known here',
      remedy,
      line,
    )
  }
  try {
    return await options.hashPassword(secret)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const remedy = 'Use 1 to 1,024 octets of text without control characters.'
    throw new AdminError(400, 'bad-password', 'This password cannot be used', remedy, line)
  }
}
