import { isIPv6 } from 'node:net'

/**
 * The name under which the names of an address stand, RFC 1035 §3.5 and RFC 3596 §2.5.
 *
 * @param address IPv4, or IPv6 in any form without a zone.
 */
export function reverseName(address: string): string {
  if (!isIPv6(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  // The URL parser writes what may be written in many ways in one.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = groups(tail ?? '')
  const zeros = tail === undefined ? [] : new Array<string>(8 - before.length - after.length).fill('0')
  const digits = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join('')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}
