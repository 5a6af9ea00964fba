/** IP addresses as octets, so that they can be compared with networks. */
import { isIPv4, isIPv6 } from 'node:net'

export interface IpAddress {
  readonly family: 4 | 6
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
}

/**
 * @param text Without a zone.
 * @returns An IPv4-mapped IPv6 address as IPv4: RFC 7208 §5, and a socket that listens on both says it so. Null when it is
 *   no address.
 */
export function readAddress(text: string): IpAddress | null {
  if (isIPv4(text)) return { family: 4, octets: Uint8Array.from(text.split('.'), Number) }
  if (!isIPv6(text) || text.includes('%')) return null
  const octets = readIpv6(text)
  const mapped = octets.subarray(0, 12).every((octet, index) => octet === (index < 10 ? 0 : 255))
  return mapped ? { family: 4, octets: octets.slice(12) } : { family: 6, octets }
}

function readIpv6(text: string): Uint8Array {
  const octets = new Uint8Array(16)
  const [head = '', tail] = text.split('::')
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  octets.set(before, 0)
  octets.set(after, 16 - after.length)
  return octets
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

/** @param bits 0 to 32 or 128; addresses of two families are never in one network. */
export function isInNetwork(address: IpAddress, network: IpAddress, bits: number): boolean {
  if (address.family !== network.family) return false
  const whole = bits >> 3
  for (let index = 0; index < whole; index++)
    if (address.octets[index] !== network.octets[index]) return false
  const rest = bits & 7
  if (rest === 0) return true
  const mask = (0xff << (8 - rest)) & 0xff
  return ((address.octets[whole] as number) & mask) === ((network.octets[whole] as number) & mask)
}

/** The name that has the PTR records, RFC 1035 §3.5 and RFC 3596 §2.5. */
export function reverseName({ family, octets }: IpAddress): string {
  if (family === 4) return `${[...octets].reverse().join('.')}.in-addr.arpa`
  return `${nibbles(octets).reverse().join('.')}.ip6.arpa`
}

/** The 32 half octets of an IPv6 address, the highest first, in lower case. */
export function nibbles(octets: Uint8Array): string[] {
  return [...Buffer.from(octets).toString('hex')]
}

/** As people write it, RFC 5952 §4: no leading zeros, and the longest run of zero groups as `::`. */
export function formatAddress({ family, octets }: IpAddress): string {
  if (family === 4) return octets.join('.')
  const words = Array.from({ length: 8 }, (_, index) => (octets[2 * index]! << 8) | octets[2 * index + 1]!)
  let [from, length] = [0, 0]
  for (let start = 0; start < 8; start++) {
    let end = start
    while (end < 8 && words[end] === 0) end++
    if (end - start > length) [from, length] = [start, end - start]
  }
  const text = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':')
  return length < 2 ? text(words) : `${text(words.slice(0, from))}::${text(words.slice(from + length))}`
}
