import { isLoopback } from '../../base/peer.ts'
import { mechanismsFor } from '../../sasl/mechanisms.ts'
import type { Session } from './session.ts'

/** Whether a password may be sent on this connection: with TLS, or in the clear from loopback where that is allowed. */
export function loginOffered(session: Session): boolean {
  const { plaintext } = session.options
  return session.dialogue.secure || (plaintext === 'loopback' && isLoopback(session.dialogue.remoteAddress))
}

/** What the session can do in its present state, RFC 3501 §7.2.1. */
export function capabilities(session: Session): string {
  const always = ['IMAP4rev1', 'LITERAL+', 'SASL-IR', 'ID', 'ENABLE']
  if (session.account !== null) {
    const later = [
      'IDLE',
      'NAMESPACE',
      'UIDPLUS',
      'UNSELECT',
      'MOVE',
      'CHILDREN',
      'LIST-EXTENDED',
      'LIST-STATUS',
      'SPECIAL-USE',
      'CREATE-SPECIAL-USE',
    ]
    return [...always, ...later].join(' ')
  }
  if (session.options.tls !== null && !session.dialogue.secure) always.push('STARTTLS')
  // RFC 3501 §6.2.3 and §7.2.1: said so that no client sends a password that anybody could read.
  if (!loginOffered(session)) always.push('LOGINDISABLED')
  else for (const name of mechanismsFor(session.dialogue.certified).keys()) always.push(`AUTH=${name}`)
  return always.join(' ')
}

/** Before log-in, RFC 3501 §7.1.1; capabilities come along to save a client its first question. */
export function greeting(session: Session): string {
  return `* OK [CAPABILITY ${capabilities(session)}] ${session.options.hostname} IMAP ready\r\n`
}
