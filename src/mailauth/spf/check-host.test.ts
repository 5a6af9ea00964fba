import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapResolver, type RecordMap } from '../../dns/map-resolver.ts'
import type { RecordType } from '../../dns/resolver.ts'
import { corpus } from '../verify-fixture.ts'
import { checkSpf } from './check-spf.ts'

interface Suite {
  readonly description: string
  readonly tests: Readonly<
    Record<
      string,
      {
        readonly helo: string
        readonly host: string
        readonly mailfrom: string
        readonly result: string | readonly string[]
        readonly explanation?: string
      }
    >
  >
  readonly zonedata: Readonly<Record<string, readonly ('TIMEOUT' | Record<string, unknown>)[]>>
}

/** How the suite writes zones: types that are absent of a name with TIMEOUT time out; SPF stands for TXT. */
function readZones(zones: Suite['zonedata']): RecordMap {
  const map: Record<string, RecordMap[string]> = {}
  for (const [name, entries] of Object.entries(zones)) {
    const records: Record<string, unknown[]> = {}
    const hasTxt = entries.some((entry) => entry !== 'TIMEOUT' && 'TXT' in entry)
    for (const entry of entries) {
      if (entry === 'TIMEOUT') continue
      for (const [key, value] of Object.entries(entry)) {
        if (value === 'NONE' || (key === 'SPF' && hasTxt)) continue
        const type = key === 'SPF' ? 'TXT' : key
        const list = (records[type] ??= [])
        if (type === 'MX') {
          const [preference, exchange] = value as [string, string]
          list.push({ preference: Number(preference), exchange })
        } else list.push(Array.isArray(value) ? value.join('') : value)
      }
    }
    const silent: RecordType[] = ['A', 'AAAA', 'MX', 'TXT', 'PTR', 'CNAME']
    const timeouts = entries.includes('TIMEOUT')
      ? silent.filter((type) => records[type] === undefined).map((type) => [type, 'timeout'] as const)
      : []
    map[name] = { ...Object.fromEntries(timeouts), ...records } as RecordMap[string]
  }
  return map
}

for (const suite of JSON.parse(corpus('spf/rfc7208-tests.json')) as Suite[]) {
  for (const [name, one] of Object.entries(suite.tests)) {
    test(`RFC 7208 suite, ${suite.description}: ${name}`, async () => {
      const resolver = mapResolver(readZones(suite.zonedata))
      const world = { resolver, hostname: 'mx.example.org', now: () => Date.UTC(2026, 0, 1) }
      const spf = await checkSpf(world, { address: one.host, helo: one.helo, reversePath: one.mailfrom })
      const wanted = typeof one.result === 'string' ? [one.result] : one.result
      assert.ok(wanted.includes(spf.result), `${spf.result} (${spf.reason}), not ${wanted.join(' or ')}`)
      if (one.explanation !== undefined && spf.result === 'fail') {
        assert.equal(spf.explanation ?? 'DEFAULT', one.explanation)
      }
    })
  }
}
