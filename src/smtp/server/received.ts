import { formatReceived } from '../../message/fields.ts'
import type { Session } from './session.ts'

/** The trace field of this hop, RFC 5321 §4.4, with its CRLF. */
export function receivedField(session: Session, id: string, forPath: string | null, now: number): string {
  return formatReceived({
    // The address is what the client cannot lie about.
    from: {
      name: session.clientName,
      address: session.peer.remoteAddress,
      reverseName: session.vouched?.name ?? null,
    },
    by: session.options.hostname,
    with: protocol(session),
    id,
    for: forPath,
    // A stranger's does not count.
    priority: session.account === null ? null : (session.transaction?.mail.priority ?? null),
    epochMs: now,
  })
}

/** RFC 3848 §1: S for TLS, A for a log-in; RFC 6531 §4.3: UTF8SMTP when MAIL said SMTPUTF8. */
function protocol(session: Session): string {
  if (!session.extended) return 'SMTP'
  const lmtp = session.options.role === 'lmtp'
  const utf8 = session.transaction?.mail.smtpUtf8 === true
  const base = utf8 ? `UTF8${lmtp ? 'LMTP' : 'SMTP'}` : lmtp ? 'LMTP' : 'ESMTP'
  return `${base}${session.tls === null ? '' : 'S'}${session.account === null ? '' : 'A'}`
}
