/** Of which domain are the authors of a message, RFC 9989 §5.3.1: one that every reader of its From field would name. */
import { clearHosts, quotedSign } from '../message/clear-addresses.ts'
import { fieldText } from '../message/header.ts'
import { readDomain } from './domain.ts'

interface Field {
  readonly name: string
  readonly value: string
}

export function isFrom({ name }: Field): boolean {
  return name.toLowerCase() === 'from'
}

/**
 * One From field, whose addresses are all of one domain.
 *
 * @param fields Of the whole header, values folded or not.
 * @returns A-labels; null when there is none, or nobody can say which.
 */
export function readAuthorDomain(fields: readonly Field[]): string | null {
  const from = fields.filter(isFrom)
  if (from.length !== 1) return null
  const hosts = clearHosts(fieldText(from[0]!.value), looksLikeAddress) ?? []
  const [domain, ...others] = new Set(hosts.map(readDomain))
  return domain === undefined || others.length > 0 ? null : domain
}

/** To a reader who decodes more than there is to decode. */
function looksLikeAddress(name: string): boolean {
  return name.includes(quotedSign) || name.includes('=?') || name.normalize('NFKC').includes('@')
}
