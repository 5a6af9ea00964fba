import type { X509Certificate } from 'node:crypto'
import { alternativeNames } from './alternative-names.ts'

/** Addresses of one certificate that are looked at; a person has a few. */
const addressesMax = 20

/**
 * The mail addresses a client's certificate was issued for: rfc822Name; where there is none the subject's emailAddress
 * (RFC 5280 §4.1.2.6: obsolete, still common) and a common name that is an address.
 */
export function clientAddresses(certificate: X509Certificate): string[] {
  const named = alternativeNames(certificate.subjectAltName ?? '')
    .filter(({ kind, value }) => kind === 'email' && value !== '')
    .map(({ value }) => value)
  if (named.length > 0) return named.slice(0, addressesMax)
  const { subject } = certificate.toLegacyObject() as { subject?: Record<string, string | string[]> }
  const fields = [subject?.['emailAddress'] ?? [], subject?.['CN'] ?? []].flat()
  return fields.filter((text) => /^[^@\s]+@[^@\s]+$/.test(text)).slice(0, addressesMax)
}
