import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapResolver, type RecordMap } from '../dns/map-resolver.ts'
import { checkIprev } from './iprev.ts'

const cases: [title: string, records: RecordMap, result: string, name: string | null][] = [
  [
    'a name that leads back',
    {
      '1.2.0.192.in-addr.arpa': { PTR: ['mail.crepes.example'] },
      'mail.crepes.example': { A: ['192.0.2.1'] },
    },
    'pass',
    'mail.crepes.example',
  ],
  [
    'the second name leads back',
    {
      '1.2.0.192.in-addr.arpa': { PTR: ['a.example', 'b.example'] },
      'a.example': 'timeout',
      'b.example': { A: ['192.0.2.9', '192.0.2.1'] },
    },
    'pass',
    'b.example',
  ],
  [
    'a name of somebody else',
    {
      '1.2.0.192.in-addr.arpa': { PTR: ['mail.bank.example'] },
      'mail.bank.example': { A: ['198.51.100.1'] },
    },
    'fail',
    'mail.bank.example',
  ],
  ['no name', {}, 'permerror', null],
  ['DNS that fails', { '1.2.0.192.in-addr.arpa': 'servfail' }, 'temperror', null],
  [
    'DNS that fails on the way back',
    { '1.2.0.192.in-addr.arpa': { PTR: ['a.example'] }, 'a.example': 'servfail' },
    'temperror',
    'a.example',
  ],
]

for (const [title, records, result, name] of cases) {
  test(`iprev: ${title}`, async () => {
    const found = await checkIprev(mapResolver(records), '192.0.2.1')
    assert.deepEqual([found.result, found.name], [result, name])
  })
}

test('iprev of IPv6, and of IPv4 in its clothes', async () => {
  const v6 = {
    [`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`]: { PTR: ['mail.crepes.example'] },
    'mail.crepes.example': { AAAA: ['2001:db8:0::1'], A: ['192.0.2.1'] },
    '1.2.0.192.in-addr.arpa': { PTR: ['mail.crepes.example'] },
  }
  assert.equal((await checkIprev(mapResolver(v6), '2001:db8::1')).result, 'pass')
  const mapped = await checkIprev(mapResolver(v6), '::ffff:192.0.2.1')
  assert.deepEqual([mapped.result, mapped.address], ['pass', '192.0.2.1'])
})
