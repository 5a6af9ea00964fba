import { isLoopback } from '../../base/peer.ts'
import type { Session } from './session.ts'

/** AUTH belongs to submission, and to TLS; RFC 4954 §4 leaves it to us to offer it in the clear on loopback. */
export function loginOffered(session: Session): boolean {
  const { role, plaintext } = session.options
  if (role !== 'submission') return false
  return session.tls !== null || (plaintext === 'loopback' && isLoopback(session.peer.remoteAddress))
}
