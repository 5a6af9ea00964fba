import { domainToASCII } from 'node:url'
import { normaliseName } from '../dns/name.ts'

/**
 * A domain as it is compared and asked for.
 *
 * @param text As written, one char per octet or with characters beyond; U-labels become A-labels (RFC 8616 §4).
 * @returns Lower case, A-labels, no final dot; null when it is no domain name.
 */
export function readDomain(text: string): string | null {
  let plain = text
  if (/[^\x00-\x7f]/.test(text)) {
    plain = domainToASCII(asCharacters(text))
  }
  if (!/^[A-Za-z0-9_.-]+$/.test(plain)) return null
  return normaliseName(plain)
}

/** Octets of UTF-8 as the characters they stand for; any other text as it is. */
function asCharacters(text: string): string {
  if (/[^\x00-\xff]/.test(text)) return text
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'))
  } catch {
    return text
  }
}

/** Whether it is the other one or lies under it; both as `readDomain` gives them. */
export function isSubdomainOrSame(domain: string, above: string): boolean {
  return domain === above || domain.endsWith(`.${above}`)
}
