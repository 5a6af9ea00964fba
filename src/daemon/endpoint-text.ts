import { isIP, isIPv6 } from 'node:net'
import type { Endpoint } from '../base/config.ts'

/** What is wrong with the text of an endpoint, and what to write instead. */
export class BadEndpoint extends Error {
  readonly remedy: string

  constructor(problem: string, remedy: string) {
    super(problem)
    this.name = 'BadEndpoint'
    this.remedy = remedy
  }
}

/**
 * Reads `address:port`; IPv6 addresses stand in brackets.
 *
 * @param defaultPort Used when the text has none; null: it must have one.
 * @throws {BadEndpoint}
 */
export function parseEndpoint(text: string, defaultPort: number | null = null): Endpoint {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
  if (bracketed !== null) return endpoint(text, bracketed[1]!, bracketed[2], defaultPort)
  // A bare IPv6 address and a port cannot be told apart.
  if (isIPv6(text)) {
    if (defaultPort !== null) return { address: text, port: defaultPort }
    throw new BadEndpoint(
      `"${text}" has no port`,
      `Write "[${text}]:25": the address in brackets, then the port.`,
    )
  }
  const colon = text.lastIndexOf(':')
  if (colon < 0) return endpoint(text, text, undefined, defaultPort)
  return endpoint(text, text.slice(0, colon), text.slice(colon + 1), defaultPort)
}

function endpoint(
  text: string,
  address: string,
  port: string | undefined,
  defaultPort: number | null,
): Endpoint {
  if (/^\d+$/.test(address) && port === undefined) {
    throw new BadEndpoint(
      `"${text}" has no address`,
      `Write "127.0.0.1:${text}" for this machine only, or "0.0.0.0:${text}" for everybody.`,
    )
  }
  if (isIP(address) === 0) {
    const example = `${address === 'localhost' ? '127.0.0.1' : '0.0.0.0'}:${port ?? '25'}`
    throw new BadEndpoint(
      `"${address}" in "${text}" is not an IP address`,
      `Write an address instead of a name, for example "${example}".`,
    )
  }
  if (port === undefined) {
    if (defaultPort !== null) return { address, port: defaultPort }
    throw new BadEndpoint(`"${text}" has no port`, `Write "${text}:25", with the port after a colon.`)
  }
  const number = /^\d{1,5}$/.test(port) ? Number(port) : -1
  if (number < 0 || number > 65_535) {
    throw new BadEndpoint(
      `"${port}" in "${text}" is not a port`,
      'Write a number from 1 to 65535, or 0 for a free one.',
    )
  }
  return { address, port: number }
}

export function formatEndpoint(endpoint: Endpoint): string {
  return isIPv6(endpoint.address)
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`
}
