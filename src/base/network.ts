/** IP addresses, and the networks by which strangers are counted. */
import { isIPv4, isIPv6 } from 'node:net'

/** What counts as one address: an IPv4 address, or the /64 that one customer commonly holds (RFC 6177). */
export function hostOf(address: string): string {
  return address.includes(':') ? ipv6Network(address, 4) : address
}

/** The /24 of an IPv4 address, the /48 of an IPv6 one: what one site commonly holds. */
export function networkOf(address: string): string {
  if (address.includes(':')) return ipv6Network(address, 3)
  const dot = address.lastIndexOf('.')
  return dot < 0 ? address : `${address.slice(0, dot)}.0/24`
}

/** @param groups Leading groups of 16 bits that stay. */
function ipv6Network(address: string, groups: number): string {
  const all = groupsOf(address)
  if (all === null) return address
  // What is IPv4 in another spelling counts as such: else all of IPv4 would be one host.
  if (all.slice(0, 5).every((group) => group === 0) && all[5] === 0xffff) {
    const plain = [all[6]! >> 8, all[6]! & 255, all[7]! >> 8, all[7]! & 255].join('.')
    return groups === 4 ? plain : networkOf(plain)
  }
  const kept = all.slice(0, groups).map((group) => group.toString(16))
  return `${kept.join(':')}::/${groups * 16}`
}

/** The eight groups of an IPv6 address, RFC 4291; a zone is left out. Null: it is none. */
function groupsOf(address: string): number[] | null {
  const plain = address.split('%')[0]!
  if (!isIPv6(plain)) return null
  const [head = '', tail] = plain.split('::')
  const before = readGroups(head)
  if (tail === undefined) return before
  const after = readGroups(tail)
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function readGroups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

/** @returns 4 or 16 octets, one char each; null when it is no address. IPv4 within IPv6 comes out as IPv4. */
export function octetsOf(address: string): string | null {
  if (isIPv4(address)) return String.fromCharCode(...address.split('.').map(Number))
  const groups = groupsOf(address)
  if (groups === null) return null
  const octets = String.fromCharCode(...groups.flatMap((group) => [group >> 8, group & 255]))
  return octets.startsWith('\0\0\0\0\0\0\0\0\0\0\xff\xff') ? octets.slice(12) : octets
}

/** Addresses that share their first bits. */
export interface Prefix {
  /** 4 or 16 octets, one char each; those beyond the bits are zero. */
  readonly octets: string
  /** 0 to 32, or 0 to 128. */
  readonly bits: number
}

/** Reads `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/48`; bits of the host are passed over. Null: none of these. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/')
  const octets = octetsOf(slash < 0 ? text : text.slice(0, slash))
  if (octets === null || text.includes('%')) return null
  const all = octets.length * 8
  if (slash < 0) return { octets, bits: all }
  const written = text.slice(slash + 1)
  const bits = /^\d{1,3}$/.test(written) ? Number(written) : Number.NaN
  return bits <= all ? { octets: masked(octets, bits), bits } : null
}

/** The shortest usual form; a whole address has no slash. */
export function formatPrefix({ octets, bits }: Prefix): string {
  const values = Array.from(octets, (char) => char.charCodeAt(0))
  const whole = bits === octets.length * 8 ? '' : `/${bits}`
  if (values.length === 4) return `${values.join('.')}${whole}`
  const groups = Array.from({ length: 8 }, (_, i) => values[i * 2]! * 256 + values[i * 2 + 1]!)
  return `${shortened(groups)}${whole}`
}

/** RFC 5952: the longest run of zeros, the first of equal ones, becomes `::`; a single zero stays. */
function shortened(groups: readonly number[]): string {
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (groups[at + length] === 0) length++
    if (length > best.length) best = { at, length }
  }
  const text = (some: readonly number[]): string => some.map((group) => group.toString(16)).join(':')
  if (best.at < 0) return text(groups)
  return `${text(groups.slice(0, best.at))}::${text(groups.slice(best.at + best.length))}`
}

function masked(octets: string, bits: number): string {
  const whole = bits >> 3
  const rest = bits & 7
  let kept = octets.slice(0, whole)
  if (rest > 0) kept += String.fromCharCode(octets.charCodeAt(whole) & (0xff00 >> rest) & 0xff)
  return kept.padEnd(octets.length, '\0')
}

/** Values by prefix; the longest that holds an address counts. A look-up costs one step for each length in use. */
export class PrefixMap<T> {
  /** By family and length, the longest first. */
  #tables: { readonly octets: number; readonly bits: number; readonly values: Map<string, T> }[] = []

  get size(): number {
    return this.#tables.reduce((sum, { values }) => sum + values.size, 0)
  }

  set({ octets, bits }: Prefix, value: T): void {
    let table = this.#table(octets.length, bits)
    if (table === undefined) {
      table = { octets: octets.length, bits, values: new Map() }
      this.#tables.push(table)
      this.#tables.sort((a, b) => b.bits - a.bits)
    }
    table.values.set(octets, value)
  }

  get({ octets, bits }: Prefix): T | null {
    return this.#table(octets.length, bits)?.values.get(octets) ?? null
  }

  delete({ octets, bits }: Prefix): boolean {
    const table = this.#table(octets.length, bits)
    const had = table?.values.delete(octets) ?? false
    if (table?.values.size === 0) this.#tables = this.#tables.filter((other) => other !== table)
    return had
  }

  find(address: string): T | null {
    if (this.#tables.length === 0) return null
    const octets = octetsOf(address)
    if (octets === null) return null
    for (const table of this.#tables) {
      if (table.octets !== octets.length) continue
      const value = table.values.get(masked(octets, table.bits))
      if (value !== undefined) return value
    }
    return null
  }

  #table(octets: number, bits: number) {
    return this.#tables.find((table) => table.octets === octets && table.bits === bits)
  }
}

/** @param listed Addresses and networks that can be read. */
export function inNetworks(listed: () => readonly string[]): (address: string) => boolean {
  let known: readonly string[] = []
  let networks = new PrefixMap<true>()
  return (address) => {
    if (known !== listed()) {
      known = listed()
      networks = new PrefixMap()
      for (const text of known) networks.set(parsePrefix(text)!, true)
    }
    return networks.find(address) !== null
  }
}
