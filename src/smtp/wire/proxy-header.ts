/**
 * What a load balancer says before the client's own octets: whose connection it is. Versions 1 (a line of text) and 2
 * (binary) of haproxy's PROXY protocol.
 */
import { isIPv4, isIPv6 } from 'node:net'

export interface ProxiedAddresses {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

export type ProxyHeader =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly why: string }
  /** `addresses` null: the proxy speaks for itself (a health check), or does not know. */
  | { readonly kind: 'header'; readonly octets: number; readonly addresses: ProxiedAddresses | null }

/** With CRLF, §2.1 of the protocol. */
const lineOctets = 107
/** Of a binary header with what it may carry besides addresses; the protocol itself allows 64 KB. */
const binaryOctets = 16_384
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** @param octets From the beginning of the connection; as many as have come. */
export function readProxyHeader(octets: Uint8Array): ProxyHeader {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  const begun = Math.min(buffer.length, signature.length)
  if (begun === 0) return { kind: 'more' }
  if (buffer.subarray(0, begun).equals(signature.subarray(0, begun))) {
    return begun < signature.length ? { kind: 'more' } : readBinary(buffer)
  }
  return readLine(buffer)
}

function bad(why: string): ProxyHeader {
  return { kind: 'bad', why }
}

/** "PROXY" SP ("TCP4" / "TCP6") SP source SP destination SP port SP port CRLF, or "PROXY UNKNOWN" and anything. */
function readLine(buffer: Buffer): ProxyHeader {
  const start = buffer.toString('latin1', 0, lineOctets)
  if (!'PROXY '.startsWith(start.slice(0, 6))) return bad('no PROXY header')
  const end = start.indexOf('\r\n')
  if (end < 0) return buffer.length < lineOctets ? { kind: 'more' } : bad('line too long')
  const line = start.slice(0, end)
  const octets = end + 2
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { kind: 'header', octets, addresses: null }
  const found = /^PROXY TCP([46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (\d{1,5}) (\d{1,5})$/.exec(line)
  if (found === null) return bad('cannot read the line')
  const [, family, remoteAddress = '', localAddress = '', remotePort, localPort] = found
  const genuine = family === '4' ? isIPv4 : isIPv6
  const ports = [Number(remotePort), Number(localPort)] as const
  if (!genuine(remoteAddress) || !genuine(localAddress) || ports.some((port) => port > 65_535))
    return bad('no addresses')
  return {
    kind: 'header',
    octets,
    addresses: { remoteAddress, remotePort: ports[0], localAddress, localPort: ports[1] },
  }
}

/** §2.2: signature, version and command, family and transport, length, addresses, further fields. */
function readBinary(buffer: Buffer): ProxyHeader {
  if (buffer.length < 16) return { kind: 'more' }
  const version = buffer[12]! >> 4
  const command = buffer[12]! & 15
  if (version !== 2 || command > 1) return bad('unknown version or command')
  const octets = 16 + buffer.readUInt16BE(14)
  if (octets > binaryOctets) return bad('header too long')
  if (buffer.length < octets) return { kind: 'more' }
  if (command === 0) return { kind: 'header', octets, addresses: null }
  const family = buffer[13]! >> 4
  const size = family === 1 ? 4 : family === 2 ? 16 : 0
  // A local socket, or nothing known: the connection is the proxy's own.
  if (size === 0) return { kind: 'header', octets, addresses: null }
  if (octets < 16 + 2 * size + 4) return bad('addresses missing')
  const text = size === 4 ? ipv4 : ipv6
  const ports = 16 + 2 * size
  return {
    kind: 'header',
    octets,
    addresses: {
      remoteAddress: text(buffer.subarray(16, 16 + size)),
      remotePort: buffer.readUInt16BE(ports),
      localAddress: text(buffer.subarray(16 + size, ports)),
      localPort: buffer.readUInt16BE(ports + 2),
    },
  }
}

function ipv4(octets: Buffer): string {
  return octets.join('.')
}

/** RFC 5952 §4, and an IPv4 address in IPv6 as IPv4. */
function ipv6(octets: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(2 * index))
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return ipv4(octets.subarray(12))
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1)
}
