import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapResolver, type RecordMap } from '../../dns/map-resolver.ts'
import { checkSpf } from './check-spf.ts'
import { parseSpfRecord } from './record.ts'

async function judge(records: RecordMap, reversePath = 'alice@crepes.example', address = '192.0.2.1') {
  const resolver = mapResolver(records)
  const world = { resolver, hostname: 'mx.hamburger.example', now: () => 0 }
  const spf = await checkSpf(world, { address, helo: 'mail.crepes.example', reversePath })
  return { ...spf, asked: resolver.asked }
}

const txt = (text: string) => ({ TXT: [text] })

test('includes that include each other end at the tenth', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `d${index}.example`)
  const all = `v=spf1 ${names.map((name) => `include:${name}`).join(' ')} -all`
  const records = Object.fromEntries([...names, 'crepes.example'].map((name) => [name, txt(all)]))
  const { result, reason, lookups, asked } = await judge(records)
  assert.equal(result, 'permerror')
  assert.equal(reason, 'over 10 terms that look something up')
  assert.equal(lookups, 11)
  assert.ok(asked.length <= 11)
})

test('a redirect to itself ends', async () => {
  const { result } = await judge({ 'crepes.example': txt('v=spf1 redirect=crepes.example') })
  assert.equal(result, 'permerror')
})

test('RFC 7208 §4.6.4: terms that find nothing are counted, not questions', async () => {
  const hosts = ['a', 'b', 'c', 'd'].map((name) => ({ preference: 10, exchange: `${name}.crepes.example` }))
  const only4 = Object.fromEntries(hosts.map(({ exchange }) => [exchange, { A: ['192.0.2.7'] }]))
  const records = { ...only4, 'crepes.example': { MX: hosts, ...txt('v=spf1 mx ip6:2001:db8::1 -all') } }
  const over6 = await judge(records, undefined, '2001:db8::1')
  assert.deepEqual([over6.result, over6.voidLookups], ['pass', 1])
  const void3 = { 'crepes.example': txt('v=spf1 a:x.example a:y.example a:z.example ip4:192.0.2.1 -all') }
  assert.deepEqual((await judge(void3)).result, 'permerror')
})

test('macros cannot make more than they may', async () => {
  const bomb = `v=spf1 exists:${'%{s}'.repeat(2_000)}.example -all`
  const { result, reason } = await judge({ 'crepes.example': txt(bomb) }, `${'a'.repeat(64)}@crepes.example`)
  assert.equal(result, 'permerror')
  assert.match(reason ?? '', /^macros make too long a name/)
})

test('a record over its bound, and hundreds of records, are permanent errors', async () => {
  const long = `v=spf1 ${'ip4:192.0.2.7 '.repeat(1_000)}-all`
  assert.match((await judge({ 'crepes.example': txt(long) })).reason ?? '', /record over 8192 octets/)
  const many = { TXT: Array.from({ length: 500 }, () => 'v=spf1 -all') }
  assert.match((await judge({ 'crepes.example': many })).reason ?? '', /has 500 records/)
})

test('of a thousand names of an address ten are looked at', async () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `h${index}.burgers.example`)
  const { result, asked } = await judge({
    'crepes.example': txt('v=spf1 ptr -all'),
    '1.2.0.192.in-addr.arpa': { PTR: names },
  })
  assert.equal(result, 'fail')
  assert.equal(asked.filter((question) => question.endsWith(' A')).length, 10)
})

test('DNS that fails is temporary, wherever it fails', async () => {
  assert.equal((await judge({ 'crepes.example': 'servfail' })).result, 'temperror')
  const included = { 'crepes.example': txt('v=spf1 include:a.example -all'), 'a.example': 'timeout' as const }
  const { result, reason, mechanism } = await judge(included)
  assert.deepEqual([result, reason, mechanism], ['temperror', 'a.example TXT: timeout', null])
})

test('the result names the record and the mechanism that decided', async () => {
  const spf = await judge({
    'crepes.example': txt('v=spf1 a include:senders.example ~all'),
    'senders.example': txt('v=spf1 redirect=_spf.senders.example'),
    '_spf.senders.example': txt('v=spf1 ip4:192.0.2.0/24 -all'),
  })
  assert.equal(spf.result, 'pass')
  assert.equal(spf.record, 'v=spf1 a include:senders.example ~all')
  assert.equal(spf.mechanism, 'include:senders.example redirect=_spf.senders.example ip4:192.0.2.0/24')
  assert.deepEqual([spf.lookups, spf.voidLookups], [3, 1])
})

test('the null reverse-path is judged by the HELO name', async () => {
  const records = { 'mail.crepes.example': txt('v=spf1 ip4:192.0.2.1 -all') }
  const spf = await judge(records, '')
  assert.deepEqual([spf.result, spf.identity, spf.domain], ['pass', 'helo', 'mail.crepes.example'])
})

test('a long record of the worst kind is read in time that grows with its length', () => {
  for (const text of [
    'a:'.repeat(4_000),
    '/'.repeat(8_000),
    `a${'/9'.repeat(4_000)}`,
    '%{s'.repeat(2_500),
    '='.repeat(8_000),
  ]) {
    assert.ok('reason' in parseSpfRecord(`v=spf1 ${text}`))
  }
})

test('RFC 8616 §4: a term with a local part outside ASCII matches nothing', async () => {
  const text = txt('v=spf1 include:%{s}.crepes.example exists:%{l}.crepes.example ip4:192.0.2.1 -all')
  const { result, mechanism, asked } = await judge({ 'crepes.example': text }, 'ünal@crepes.example')
  assert.deepEqual([result, mechanism], ['pass', 'ip4:192.0.2.1'])
  assert.ok(asked.every((question) => !/[^\x00-\x7f]/.test(String(question))))
})
