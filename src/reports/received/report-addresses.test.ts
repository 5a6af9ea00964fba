import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { mapResolver } from '../../dns/map-resolver.ts'
import { ReportAddresses } from './report-addresses.ts'

test('reports come to the addresses that our records name, and to the usual ones', async () => {
  const clock = new FakeClock()
  const resolver = mapResolver({
    '_dmarc.crepes.fr': { TXT: ['v=DMARC1; p=none; rua=mailto:Mail@crepes.fr,mailto:x@elsewhere.example'] },
    '_smtp._tls.crepes.fr': { TXT: ['v=TLSRPTv1; rua=mailto:tls@hamburger.edu'] },
    '_dmarc.hamburger.edu': 'servfail',
  })
  let domains = ['crepes.fr', 'hamburger.edu']
  const addresses = new ReportAddresses({
    ...{ resolver, clock, log: silentLog, addresses: () => ['own@crepes.fr'] },
    domains: async () => domains,
  })
  assert.equal(addresses.has('own@crepes.fr'), true)
  assert.equal(addresses.has('mail@crepes.fr'), false)
  await addresses.refresh()
  for (const [address, expected] of [
    ['own@crepes.fr', true],
    ['MAIL@crepes.fr', true],
    ['tls@hamburger.edu', true],
    ['dmarc-reports@hamburger.edu', true],
    ['tls-reports@crepes.fr', true],
    ['x@elsewhere.example', false],
    ['dmarc-reports@elsewhere.example', false],
    ['alice@crepes.fr', false],
  ] as const) {
    assert.equal(addresses.has(address), expected, address)
  }
  const asked = resolver.asked.length
  await addresses.refresh()
  assert.equal(resolver.asked.length, asked, 'the answer is kept for hours')
  domains = ['crepes.fr']
  addresses.stale()
  await addresses.refresh()
  assert.equal(addresses.has('dmarc-reports@hamburger.edu'), false)
  clock.advance(7 * 60 * 60_000)
  resolver.set('_dmarc.crepes.fr', null)
  await Promise.all([addresses.refresh(), addresses.refresh()])
  assert.deepEqual([addresses.has('mail@crepes.fr'), addresses.has('own@crepes.fr')], [false, true])
})

test('a store that cannot be asked leaves what was known', async () => {
  const addresses = new ReportAddresses({
    ...{
      resolver: mapResolver({}),
      clock: new FakeClock(),
      log: silentLog,
      addresses: () => ['own@crepes.fr'],
    },
    domains: () => Promise.reject(new Error('no store')),
  })
  await addresses.refresh()
  assert.equal(addresses.has('own@crepes.fr'), true)
})
