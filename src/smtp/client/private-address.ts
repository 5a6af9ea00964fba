import { BlockList, isIPv6 } from 'node:net'

/**
 * Addresses that belong to no public mail server: this machine, its neighbours, and what routers keep for themselves.
 * RFC 6890; a name in a stranger's DNS may lead to them, and a literal too.
 */
const reserved = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  reserved.addSubnet(network, bits, 'ipv4')
}
for (const [network, bits] of [
  // Unspecified, loopback and IPv4-compatible, RFC 4291 §2.5.5.1.
  ['::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['100::', 64],
  // Ways to IPv4 addresses: RFC 6052 §2.1, RFC 8215, RFC 3056, RFC 4380. What is public there has an address of its own.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['2001::', 32],
] as const) {
  reserved.addSubnet(network, bits, 'ipv6')
}

/** @param address An IP address; a zone means that it is link-local. */
export function isPrivateAddress(address: string): boolean {
  if (address.includes('%')) return true
  // IPv4-mapped ones (RFC 4291 §2.5.5.2) are looked at as the IPv4 address that they are.
  return reserved.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
