/** Whether an address has a name that leads back to it, RFC 8601 §3. */
import { DnsFailure, type Resolver } from '../dns/resolver.ts'
import { normaliseName } from '../dns/name.ts'
import { reverseName } from '../dns/reverse-name.ts'
import { formatAddress, isInNetwork, readAddress } from './ip-address.ts'

export interface IprevResult {
  /** `permerror`: the address has no name at all. */
  readonly result: 'pass' | 'fail' | 'temperror' | 'permerror'
  readonly reason: string | null
  readonly address: string
  /** The first name that leads back, else the first one the address claims; null when there is none. */
  readonly name: string | null
}

/** Names of one address that are looked at. */
const namesMax = 10

/** Never throws for what DNS does. */
export async function checkIprev(resolver: Resolver, address: string): Promise<IprevResult> {
  const own = readAddress(address)
  if (own === null) return { result: 'permerror', reason: 'no address', address, name: null }
  const text = formatAddress(own)
  let claimed: string | null = null
  let failure: DnsFailure | null = null
  try {
    const { records } = await resolver.query(reverseName(text), 'PTR')
    for (const record of records.slice(0, namesMax)) {
      const name = normaliseName(record)
      if (name === null) continue
      claimed ??= name
      try {
        const answer = await resolver.query(name, own.family === 4 ? 'A' : 'AAAA')
        const found = answer.records.map(readAddress)
        if (found.some((one) => one !== null && isInNetwork(own, one, 8 * own.octets.length))) {
          return { result: 'pass', reason: null, address: text, name }
        }
      } catch (error) {
        if (!(error instanceof DnsFailure)) throw error
        failure = error
      }
    }
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error
    failure = error
  }
  if (failure !== null) {
    return {
      result: 'temperror',
      reason: `${failure.question}: ${failure.reason}`,
      address: text,
      name: claimed,
    }
  }
  if (claimed === null)
    return { result: 'permerror', reason: 'the address has no name', address: text, name: null }
  return {
    result: 'fail',
    reason: 'the name does not lead back to the address',
    address: text,
    name: claimed,
  }
}
