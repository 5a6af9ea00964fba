import type { SaslMechanism, SaslStep } from './mechanism.ts'
import { readCredential } from './credential-text.ts'

/** PLAIN, RFC 4616: one message. A client that sent no initial response gets an empty challenge, RFC 4422 §3. */
export const plain: SaslMechanism = {
  name: 'PLAIN',
  start: () => ({
    begin: (initial) => (initial === null ? { kind: 'challenge', challenge: '' } : readPlain(initial)),
    next: readPlain,
  }),
}

/**
 * message = [authzid] UTF8NUL authcid UTF8NUL passwd
 *
 * RFC 4616 §2. All three are UTF-8; the last two are not empty.
 */
function readPlain(message: string): SaslStep {
  const parts = message.split('\0')
  if (parts.length !== 3) return { kind: 'malformed', reason: 'expected two NULs in PLAIN' }
  const [authorisationId, login, password] = parts.map(readCredential) as [
    string | null,
    string | null,
    string | null,
  ]
  if (authorisationId === null || login === null || password === null) {
    return { kind: 'malformed', reason: 'a part of PLAIN is too long or not UTF-8' }
  }
  if (login === '' || password === '') return { kind: 'malformed', reason: 'a part of PLAIN is empty' }
  return { kind: 'credentials', credentials: { authorisationId, login, password } }
}
