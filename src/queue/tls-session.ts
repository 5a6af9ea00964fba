/** How sessions fared with TLS, in the words of RFC 8460, for the reports to the domains that mail goes to. */
import type { Target } from '../base/dialler.ts'
import type { SmtpClient } from '../smtp/client/client.ts'
import type { SmtpFailure } from '../smtp/client/failure.ts'

export interface HeardSession {
  readonly mxHost: string
  /** Our address; null when there is no connection any more. */
  readonly sendingAddress: string | null
  readonly receivingAddress: string
  /** Null: TLS was begun. No policy of the domain says more, so the certificate does not count. */
  readonly failure: 'starttls-not-supported' | 'certificate-not-trusted' | 'validation-failure' | null
  readonly reason: string | null
}

export interface TlsSession extends HeardSession {
  /** That mail goes to, A-labels. */
  readonly domain: string
  /** Of the letter that the session was opened for. */
  readonly reversePath: string
}

const reasonChars = 200

export function sessionOpened(client: SmtpClient, target: Target): HeardSession {
  const failure = client.tls === null ? 'starttls-not-supported' : null
  return { ...placeOf(target), sendingAddress: addressOf(client.localName), failure, reason: null }
}

/** Null: it did not fail for TLS. */
export function sessionFailed({ reason, message }: SmtpFailure, target: Target): HeardSession | null {
  if (reason !== 'tls-failed' && reason !== 'tls-required') return null
  const failure =
    reason === 'tls-failed'
      ? 'validation-failure'
      : /certificate/.test(message)
        ? 'certificate-not-trusted'
        : 'starttls-not-supported'
  const text = message.replace(/[^\x20-\x7e]/g, ' ').slice(0, reasonChars)
  return { ...placeOf(target), sendingAddress: null, failure, reason: text }
}

function placeOf({ hostname, address }: Target) {
  return { mxHost: hostname, receivingAddress: address }
}

/** Of `address:port`, IPv6 in brackets. */
function addressOf(name: string): string {
  return name.slice(0, name.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1')
}
