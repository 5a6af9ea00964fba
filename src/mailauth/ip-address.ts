/** IP addresses as octets, so that they can be compared with networks. */
import { octetsOf } from '../base/network.ts'

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
  const octets = text.includes('%') ? null : octetsOf(text)
  if (octets === null) return null
  return { family: octets.length === 4 ? 4 : 6, octets: Buffer.from(octets, 'latin1') }
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
