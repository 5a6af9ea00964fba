import { normaliseName } from '../../dns/name.ts'
import { reverseName } from '../../dns/reverse-name.ts'
import { isSubdomainOrSame } from '../domain.ts'
import { formatAddress, type IpAddress, isInNetwork, readAddress } from '../ip-address.ts'
import { type Lookups, SpfEnd } from './lookups.ts'

/** RFC 7208 §5.5: names past the tenth are not looked at. */
const namesMax = 10

/**
 * The names of an address that lead back to it, RFC 7208 §5.5. One that cannot be looked up is left out, as the RFC asks.
 *
 * @returns Lower case, in the order of DNS.
 */
export async function findValidatedNames(address: IpAddress, lookups: Lookups): Promise<string[]> {
  const names = await orNothing(lookups.queryFreely(reverseName(formatAddress(address)), 'PTR'))
  const type = address.family === 4 ? 'A' : 'AAAA'
  const validated: string[] = []
  for (const name of names.slice(0, namesMax)) {
    const plain = normaliseName(name)
    if (plain === null) continue
    const addresses = await orNothing(lookups.queryFreely(plain, type))
    const leadsBack = addresses.some((text) => {
      const found = readAddress(text)
      return found !== null && isInNetwork(address, found, 8 * address.octets.length)
    })
    if (leadsBack) validated.push(plain)
  }
  return validated
}

async function orNothing<T>(records: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await records
  } catch (error) {
    if (error instanceof SpfEnd) return []
    throw error
  }
}

/** RFC 7208 §7.3, %{p}: the domain itself, else a name under it, else any, else `unknown`. */
export function chooseName(names: readonly string[], domain: string): string {
  return (
    names.find((name) => name === domain) ??
    names.find((name) => isSubdomainOrSame(name, domain)) ??
    names[0] ??
    'unknown'
  )
}
