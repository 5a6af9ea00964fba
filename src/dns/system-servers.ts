import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Endpoint } from '../base/config.ts'

/** More are not asked: resolv.conf(5) stops at three too. */
const serversMax = 3

/** @returns The servers named in a resolv.conf, in order; this machine when there are none. */
export function parseResolvConf(text: string): Endpoint[] {
  const servers: Endpoint[] = []
  for (const line of text.split('\n')) {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1]
    if (address !== undefined && isIP(address) !== 0 && servers.length < serversMax)
      servers.push({ address, port: 53 })
  }
  return servers.length > 0 ? servers : [{ address: '127.0.0.1', port: 53 }]
}

/** The system's own servers, as they are now. */
export async function systemServers(): Promise<Endpoint[]> {
  return parseResolvConf(await readFile('/etc/resolv.conf', 'latin1').catch(() => ''))
}
