import type { Answer, RecordOf, RecordType, Resolver } from './resolver.ts'
import { DnsFailure } from './resolver.ts'
import { isWithin, normaliseName } from './name.ts'
import { cnameChainMax, type NameRecords } from './records.ts'

/** By name; a failure in place of records fails each question about it, in place of one type that question only. */
export interface RecordMap {
  readonly [name: string]:
    | DnsFailure['reason']
    | { readonly [T in RecordType]?: readonly RecordOf[T][] | DnsFailure['reason'] }
}

export interface MapResolver extends Resolver {
  /** Every question so far, `hamburger.edu MX`, oldest first. */
  readonly asked: readonly string[]
  /** Replaces what a name has; null takes the name away. */
  set(name: string, records: RecordMap[string] | null): void
}

export interface MapResolverOptions {
  /** Seconds; default 300. */
  readonly ttl?: number
  /** Whether every answer counts as proven by DNSSEC; default false. */
  readonly authentic?: boolean
}

/** A resolver that knows what it is told, for tests. */
export function mapResolver(records: RecordMap, options: MapResolverOptions = {}): MapResolver {
  const names = new Map<string, RecordMap[string]>()
  for (const [name, found] of Object.entries(records)) names.set(normaliseName(name) ?? name, found)
  const asked: string[] = []

  function answer<R>(status: Answer<R>['status'], found: readonly R[]): Answer<R> {
    const { ttl = 300, authentic = false } = options
    return { status, records: found, ttl, authentic, cached: false }
  }

  function look<T extends RecordType>(name: string, type: T, hops: number): Answer<RecordOf[T]> {
    const found = names.get(name)
    if (found === undefined) {
      // RFC 8020 §2: a name above an existing one exists, though empty.
      const above = [...names.keys()].some((other) => isWithin(other, name))
      return answer(above ? 'absent' : 'no-name', [])
    }
    if (typeof found === 'string') throw new DnsFailure(`${name} ${type}`, found)
    const ofType = found[type]
    if (typeof ofType === 'string') throw new DnsFailure(`${name} ${type}`, ofType)
    if (ofType !== undefined && ofType.length > 0) return answer('found', ofType as readonly RecordOf[T][])
    const alias = (found as NameRecords).CNAME?.[0]
    if (alias === undefined) return answer('absent', [])
    if (hops >= cnameChainMax) throw new DnsFailure(`${name} ${type}`, 'malformed')
    return look(normaliseName(alias) ?? alias, type, hops + 1)
  }

  return {
    asked,
    set(name, found) {
      const key = normaliseName(name) ?? name
      if (found === null) names.delete(key)
      else names.set(key, found)
    },
    async query(name, type) {
      const key = normaliseName(name) ?? name
      asked.push(`${key} ${type}`)
      return look(key, type, 0)
    },
  }
}
