import type { SaslMechanism, SaslStep } from './mechanism.ts'
import { readCredential } from './credential-text.ts'

/**
 * EXTERNAL, RFC 4422 appendix A: TLS has told already who the client is; it says at most as whom it wants to act.
 *
 * @param certified Addresses of accounts, at least one.
 */
export function external(certified: readonly string[]): SaslMechanism {
  // RFC 4422 appendix A.1: `authzid = *UTF8-char-no-nul`; none means: whoever the certificate says.
  const read = (message: string): SaslStep => {
    const authorisationId = readCredential(message)
    if (authorisationId === null)
      return { kind: 'malformed', reason: 'the identity is too long or not UTF-8' }
    return { kind: 'credentials', credentials: { authorisationId, login: '', password: '', certified } }
  }
  return {
    name: 'EXTERNAL',
    start: () => ({
      begin: (initial) => (initial === null ? { kind: 'challenge', challenge: '' } : read(initial)),
      next: read,
    }),
  }
}
