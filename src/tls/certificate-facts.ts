import { X509Certificate } from 'node:crypto'
import { alternativeNames } from './alternative-names.ts'

/** What the operator wants to know of a certificate that is in use. */
export interface CertificateFacts {
  /** Host names in lower case, `*.` in front where one label is free; the common name when there are none. */
  readonly names: readonly string[]
  /** The last component of the issuer's name. */
  readonly issuer: string
  /** Milliseconds since 1970. */
  readonly validFrom: number
  readonly expiresAt: number
  /** SHA-256 of the certificate, hex in lower case. */
  readonly fingerprint: string
}

/** @param pem The first certificate counts. @throws {Error} It cannot be read. */
export function readCertificateFacts(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem)
  return {
    names: hostnamesOf(certificate),
    issuer: certificate.issuer.split('\n').at(-1)?.replace(/^\w+=/, '') ?? '',
    validFrom: Date.parse(certificate.validFrom),
    expiresAt: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

/** RFC 9525 §6.3 looks at subjectAltName only; a common name is what very old certificates have. */
function hostnamesOf(certificate: X509Certificate): string[] {
  const names = alternativeNames(certificate.subjectAltName ?? '')
    .filter(({ kind }) => kind === 'DNS')
    .map(({ value }) => value.toLowerCase())
  if (names.length > 0) return names
  const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1]
  return common === undefined ? [] : [common.toLowerCase()]
}

const day = 24 * 3_600_000
/** Public authorities renew with a month left; who has not by now has a problem. */
const warnDays = 14
const errorDays = 3

/** What to say of a certificate's end, and how loudly; null when it is far off. */
export function expiryNotice(
  facts: CertificateFacts,
  nowMs: number,
): { level: 'warn' | 'error'; text: string } | null {
  const left = facts.expiresAt - nowMs
  if (left < 0) return { level: 'error', text: 'the TLS certificate has expired' }
  if (nowMs < facts.validFrom) return { level: 'error', text: 'the TLS certificate is not valid yet' }
  if (left >= warnDays * day) return null
  const days = Math.floor(left / day)
  const text = `the TLS certificate expires in ${days === 1 ? '1 day' : `${days} days`}`
  return { level: left < errorDays * day ? 'error' : 'warn', text }
}
