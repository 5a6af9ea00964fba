/** Reads `[guards]`. */
import { isIP } from 'node:net'
import type { BlocklistConfig, GuardsConfig } from '../../base/guards-config.ts'
import { parsePrefix } from '../../base/network.ts'
import type { ConfigTable } from '../config-table.ts'

/** @param readDomain A-labels in lower case; null when the text is no domain. */
export function readGuards(table: ConfigTable, readDomain: (text: string) => string | null): GuardsConfig {
  const guards: GuardsConfig = {
    trusted: readAddresses(table, 'trusted'),
    banned: readPrefixes(table, 'banned'),
    allow: readPrefixes(table, 'allow'),
    proxies: readAddresses(table, 'proxies'),
    xclient: readAddresses(table, 'xclient'),
    greylist: table.boolean('greylist', false),
    senderDomain: table.boolean('sender_domain', false),
    blocklists: readBlocklists(table.table('blocklists'), readDomain),
    sizes: readSizes(table.table('sizes'), readDomain),
  }
  table.refuseOthers()
  return guards
}

function readAddresses(table: ConfigTable, key: string): string[] {
  const addresses = table.strings(key) ?? []
  for (const [index, address] of addresses.entries()) {
    if (isIP(address) !== 0) continue
    const remedy = 'Write single addresses, such as "127.0.0.1" or "2001:db8::1".'
    throw table.error([key, index], `${table.name}.${key}: "${address}" is not an IP address`, remedy)
  }
  return addresses
}

/** Addresses and networks. @throws {ConfigError} */
export function readPrefixes(table: ConfigTable, key: string): string[] {
  const prefixes = table.strings(key) ?? []
  for (const [index, prefix] of prefixes.entries()) {
    if (parsePrefix(prefix) !== null) continue
    const remedy = 'Write addresses or networks, such as "192.0.2.1" or "2001:db8::/32".'
    throw table.error([key, index], `${table.name}.${key}: "${prefix}" is no address or network`, remedy)
  }
  return prefixes
}

/** `[guards.blocklists."zen.example"]` with `action`, `weight`, `answers`. */
function readBlocklists(
  table: ConfigTable,
  readDomain: (text: string) => string | null,
): readonly BlocklistConfig[] {
  return table.keys.map((key) => {
    const zone = readDomain(key)
    if (zone === null) {
      const remedy = 'Write [guards.blocklists."zone.example"] and under it action = "refuse".'
      throw table.error([key], `guards.blocklists: "${key}" is not a domain`, remedy)
    }
    const list = table.table(key)
    const action = list.choice('action', ['refuse', 'junk', 'weigh'], 'refuse')
    const weight = list.integer('weight', 0, 0)
    if (action === 'weigh' && weight === 0) {
      const remedy = 'Add weight = 50 or so: weights that add up to 100 refuse.'
      throw table.error([key], `${list.name} weighs nothing`, remedy)
    }
    const answers = readAddresses(list, 'answers')
    list.refuseOthers()
    return { zone, action, weight, answers }
  })
}

/** `[guards.sizes]`, `"domain.example" = OCTETS`. */
function readSizes(table: ConfigTable, readDomain: (text: string) => string | null): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const key of table.keys) {
    const domain = readDomain(key)
    if (domain === null)
      throw table.error([key], `guards.sizes: "${key}" is not a domain`, 'Write "domain.example" = 10000000.')
    sizes.set(domain, table.integer(key, 0, 1))
  }
  return sizes
}
