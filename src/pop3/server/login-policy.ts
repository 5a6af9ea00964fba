import { isLoopback } from '../../base/peer.ts'
import { refuse } from '../wire/reply.ts'
import type { Session } from './session.ts'

/** Whether a password may be said now: under TLS, or in the clear where the configuration lets loopback do so. */
export function loginOffered(session: Session): boolean {
  if (session.tls !== null) return true
  return session.options.plaintext === 'loopback' && isLoopback(session.peer.remoteAddress)
}

/** Whether STLS would be answered with +OK, RFC 2595 §4. */
export function tlsOffered(session: Session): boolean {
  return session.options.tls !== null && session.tls === null
}

/**
 * @throws {Refusal} SYS/PERM and not AUTH: AUTH makes an agent ask the person for another password (RFC 3206 §5), and
 * no password would do.
 */
export function expectLoginOffered(session: Session): void {
  if (loginOffered(session)) return
  throw refuse(tlsOffered(session) ? 'Say STLS first: log-in needs TLS' : 'Log-in needs TLS', 'SYS/PERM')
}
