/**
 * The client's side of TLS on a connection that is already open (STARTTLS), and what its certificate is worth.
 *
 * The handshake succeeds whatever the certificate: against somebody who only listens, TLS without proof is better than
 * none (RFC 7435). Whether the certificate was good is a fact for the caller to judge and to record.
 */
import type { X509Certificate } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import type { Clock } from '../base/clock.ts'

export interface ClientTlsFacts {
  readonly version: string
  readonly cipher: string
  /** The name asked for (SNI) and compared. */
  readonly serverName: string
  /** subjectAltName, `DNS:` and `IP:` without their prefix; the common name when there are none. */
  readonly names: readonly string[]
  readonly issuer: string
  /** Milliseconds since 1970; null when the certificate does not say it in a readable way. */
  readonly expiresAt: number | null
  /** SHA-256 of the certificate, hex in lower case. */
  readonly fingerprint: string
  readonly trusted: boolean
  /** Why not, in words; null when trusted. */
  readonly reason: string | null
}

export interface ClientTlsOptions {
  /** The name the certificate must be for: host name or address. */
  readonly serverName: string
  /** PEM of authorities that count besides the well-known ones. Pass the same array each time: it is read once. */
  readonly ca: readonly string[]
  /**
   * Whether an untrusted server will be used all the same. Then old keys and signatures are let pass too: the
   * alternative is no encryption at all.
   */
  readonly opportunistic: boolean
  readonly timeoutMs: number
  readonly clock: Clock
}

/** Names and issuer are the remote's words: what is kept of each, and how many. */
const nameCharsMax = 255
const namesMax = 100

/**
 * @param socket Connected; nothing of what follows the clear text may have been read from it. Its listeners for data
 *   must be gone. Destroyed on failure.
 * @throws {Error} The handshake failed, took too long, or the connection ended.
 */
export function startClientTls(
  socket: Socket,
  options: ClientTlsOptions,
): Promise<{ socket: TLSSocket; facts: ClientTlsFacts }> {
  return new Promise((resolve, reject) => {
    // RFC 6066 §3: an address is no server name.
    const named =
      isIP(options.serverName) === 0 ? { servername: options.serverName } : { host: options.serverName }
    const secure = connect({
      socket,
      ...named,
      rejectUnauthorized: false,
      secureContext: clientContext(options.ca, options.opportunistic),
    })
    const cancel = options.clock.after(options.timeoutMs, () =>
      fail(new Error('TLS handshake took too long')),
    )
    const fail = (error: Error): void => {
      cancel()
      secure.off('close', gone)
      secure.on('error', () => {})
      secure.destroy()
      socket.destroy()
      reject(error)
    }
    const gone = (): void => fail(new Error('Connection closed during the TLS handshake'))
    secure.once('error', fail)
    secure.once('close', gone)
    secure.once('secureConnect', () => {
      cancel()
      secure.off('error', fail)
      secure.off('close', gone)
      resolve({ socket: secure, facts: factsOf(secure, options.serverName) })
    })
  })
}

/**
 * Contexts by their list of authorities, kept as long as the list is: to read the 140 well-known ones anew takes 5 to
 * 10 ms, on the thread that serves sockets.
 */
const contexts = {
  opportunistic: new WeakMap<readonly string[], SecureContext>(),
  strict: new WeakMap<readonly string[], SecureContext>(),
}

function clientContext(ca: readonly string[], opportunistic: boolean): SecureContext {
  const kept = opportunistic ? contexts.opportunistic : contexts.strict
  const found = kept.get(ca)
  if (found !== undefined) return found
  const made = createSecureContext({
    minVersion: 'TLSv1.2', // RFC 8996 §5
    ...(opportunistic ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {}),
    // Without extra authorities Node shares one store between all contexts.
    ...(ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] }),
  })
  kept.set(ca, made)
  return made
}

function factsOf(secure: TLSSocket, serverName: string): ClientTlsFacts {
  const certificate = secure.getPeerX509Certificate()
  const reason = whyUntrusted(secure, certificate, serverName)
  const expiresAt = certificate === undefined ? Number.NaN : Date.parse(certificate.validTo)
  return {
    version: secure.getProtocol() ?? 'unknown',
    cipher: secure.getCipher().standardName ?? secure.getCipher().name,
    serverName,
    names: certificate === undefined ? [] : namesOf(certificate),
    issuer: printable(certificate?.issuer?.replaceAll('\n', ', ') ?? ''),
    expiresAt: Number.isNaN(expiresAt) ? null : expiresAt,
    fingerprint: certificate?.fingerprint256.replaceAll(':', '').toLowerCase() ?? '',
    trusted: reason === null,
    reason,
  }
}

function namesOf(certificate: X509Certificate): string[] {
  const alternatives = certificate.subjectAltName?.split(', ') ?? []
  const names = alternatives.flatMap((name) => /^(?:DNS|IP Address):(.*)$/.exec(name)?.[1] ?? [])
  const common = /^CN=(.*)$/m.exec(certificate.subject)?.[1]
  return (names.length > 0 ? names : common === undefined ? [] : [common]).slice(0, namesMax).map(printable)
}

function whyUntrusted(
  secure: TLSSocket,
  certificate: X509Certificate | undefined,
  name: string,
): string | null {
  if (certificate === undefined) return 'no certificate'
  if (!secure.authorized) {
    const code = String(secure.authorizationError)
    return reasons.get(code) ?? code.toLowerCase().replaceAll('_', ' ').slice(0, nameCharsMax)
  }
  // Node leaves the name out when a session is resumed.
  return checkServerIdentity(name, secure.getPeerCertificate()) === undefined ? null : reasons.get(wrongName)!
}

const wrongName = 'ERR_TLS_CERT_ALTNAME_INVALID'
const reasons = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unknown issuer'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'unknown issuer'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unknown issuer'],
  ['CERT_HAS_EXPIRED', 'expired'],
  ['CERT_NOT_YET_VALID', 'not yet valid'],
  ['HOSTNAME_MISMATCH', 'wrong name'],
  [wrongName, 'wrong name'],
])

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, nameCharsMax)
}
