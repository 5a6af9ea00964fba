import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { seededRandom } from '../base/random.ts'
import { Recorder } from '../journey/recorder.ts'
import { mapResolver, type RecordMap } from './map-resolver.ts'
import { type MxOptions, selectMx } from './mx.ts'

const mx = (preference: number, exchange: string) => ({ preference, exchange })

function choose(records: RecordMap, domain = 'hamburger.example', options: MxOptions = {}, seed = 1) {
  return selectMx(mapResolver(records, { authentic: true }), domain, seededRandom(seed), options)
}

test('mail goes to the exchanges in order of preference, each with its addresses', async () => {
  const choice = await choose({
    'hamburger.example': { MX: [mx(20, 'b.example'), mx(10, 'A.example.')] },
    'a.example': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'] },
    'b.example': { A: ['192.0.2.3'] },
  })
  assert.deepEqual(choice, {
    kind: 'hosts',
    implicit: false,
    hosts: [
      {
        hostname: 'a.example',
        preference: 10,
        addresses: ['2001:db8::1', '192.0.2.1', '192.0.2.2'],
        authentic: true,
      },
      { hostname: 'b.example', preference: 20, addresses: ['192.0.2.3'], authentic: true },
    ],
  })
})

test('hosts of equal preference are tried in random order', async () => {
  const records = {
    'hamburger.example': { MX: [mx(10, 'a.example'), mx(10, 'b.example')] },
    'a.example': { A: ['192.0.2.1'] },
    'b.example': { A: ['192.0.2.2'] },
  }
  const first = new Set<string>()
  for (let seed = 1; seed < 40; seed++) {
    const choice = await choose(records, 'hamburger.example', {}, seed * 7919)
    assert(choice.kind === 'hosts')
    first.add(choice.hosts[0]!.hostname)
  }
  assert.deepEqual([...first].sort(), ['a.example', 'b.example'])
})

test('a domain without MX is its own exchanger', async () => {
  const choice = await choose({ 'hamburger.example': { A: ['192.0.2.1'] } })
  assert(choice.kind === 'hosts')
  assert.equal(choice.implicit, true)
  assert.deepEqual(choice.hosts[0]!.addresses, ['192.0.2.1'])
})

const refused: [title: string, records: RecordMap, kind: string, reason: string, status: string][] = [
  ['null MX', { 'hamburger.example': { MX: [mx(0, '')] } }, 'permanent', 'no-mail', '5.1.10'],
  ['no such domain', {}, 'permanent', 'no-domain', '5.1.2'],
  ['neither MX nor address', { 'hamburger.example': { TXT: ['x'] } }, 'permanent', 'no-host', '5.4.4'],
  [
    'exchange without address',
    { 'hamburger.example': { MX: [mx(1, 'a.example')] } },
    'permanent',
    'no-host',
    '5.4.4',
  ],
  [
    'MX cannot be asked',
    { 'hamburger.example': { MX: 'servfail', A: ['192.0.2.1'] } },
    'temporary',
    'dns',
    '4.4.3',
  ],
  ['address cannot be asked', { 'hamburger.example': { A: 'timeout' } }, 'temporary', 'dns', '4.4.3'],
  [
    'one exchange is absent, the other unknown',
    { 'hamburger.example': { MX: [mx(1, 'a.example'), mx(2, 'b.example')] }, 'b.example': 'timeout' },
    'temporary',
    'dns',
    '4.4.3',
  ],
]
for (const [title, records, kind, reason, status] of refused) {
  test(`no host to be had: ${title}`, async () => {
    const choice = await choose(records)
    assert(choice.kind !== 'hosts')
    assert.deepEqual([choice.kind, choice.reason, choice.status], [kind, reason, status])
  })
}

test('one exchange whose address cannot be asked does not hinder the other', async () => {
  const choice = await choose({
    'hamburger.example': { MX: [mx(1, 'a.example'), mx(2, 'b.example')] },
    'a.example': 'servfail',
    'b.example': { A: ['192.0.2.2'], AAAA: 'timeout' },
  })
  assert(choice.kind === 'hosts')
  assert.deepEqual(
    choice.hosts.map((host) => [host.hostname, host.authentic]),
    [['b.example', false]],
  )
})

test('our own name, and what is not preferred over it, is left out', async () => {
  const records: RecordMap = {
    'hamburger.example': {
      MX: [mx(5, 'a.example'), mx(10, 'self.example'), mx(10, 'c.example'), mx(20, 'd.example')],
    },
    'a.example': { A: ['192.0.2.1'] },
    'c.example': { A: ['192.0.2.3'] },
    'd.example': { A: ['192.0.2.4'] },
  }
  const choice = await choose(records, 'hamburger.example', { ownNames: ['Self.example'] })
  assert(choice.kind === 'hosts')
  assert.deepEqual(
    choice.hosts.map((host) => host.hostname),
    ['a.example'],
  )
  const best = await choose(records, 'hamburger.example', { ownNames: ['a.example'] })
  assert.equal(best.kind === 'permanent' && best.reason, 'loop')
})

test('an address literal needs no DNS', async () => {
  for (const [literal, address] of [
    ['[127.0.0.1]', '127.0.0.1'],
    ['[IPv6:::1]', '::1'],
  ] as const) {
    const choice = await choose({}, literal)
    assert(choice.kind === 'hosts')
    assert.deepEqual(choice.hosts[0], {
      hostname: literal,
      preference: 0,
      addresses: [address],
      authentic: false,
    })
  }
  for (const bad of ['[127.0.0.1', '[::1]', '[IPv6:fe80::1%lo]', '[a.example]', '[]', '[IPv6:]']) {
    assert.equal((await choose({}, bad)).kind, 'permanent', bad)
  }
})

test('hosts and addresses are bounded, duplicates and impossible names passed over', async () => {
  const many = Array.from({ length: 100 }, (_, i) => mx(i, `h${i}.example`))
  const records: Record<string, RecordMap[string]> = {
    'hamburger.example': {
      MX: [mx(0, 'h0.example'), mx(0, 'a b.example'), mx(0, 'x\r\ny.example'), ...many],
    },
  }
  for (let i = 0; i < 100; i++) {
    records[`h${i}.example`] = {
      A: Array.from({ length: 20 }, (_, n) => `192.0.2.${n}`),
      AAAA: ['2001:db8::1'],
    }
  }
  const choice = await choose(records)
  assert(choice.kind === 'hosts')
  assert.equal(choice.hosts.length, 10)
  assert.deepEqual(
    choice.hosts.map((host) => host.addresses.length),
    Array.from({ length: 10 }, () => 6),
  )
  assert.equal(new Set(choice.hosts.map((host) => host.hostname)).size, 10)
})

test('every question and answer is recorded', async () => {
  const recorder = new Recorder(new FakeClock())
  await choose(
    { 'hamburger.example': { MX: [mx(1, 'a.example')] }, 'a.example': { A: ['192.0.2.1'], AAAA: 'timeout' } },
    'hamburger.example',
    { recorder },
  )
  const events = recorder.take()
  assert.deepEqual(events[1]!.data, {
    name: 'hamburger.example',
    type: 'MX',
    status: 'found',
    records: [{ preference: 1, exchange: 'a.example' }],
    count: 1,
    ttl: 300,
    authentic: true,
    cached: false,
  })
  assert(events.every((event) => event.stage === 'looked-up'))
  assert(events.some((event) => event.data['status'] === 'failed' && event.data['reason'] === 'timeout'))
})

test('a domain all of whose hosts have addresses that are never dialled has none, once DNS has told all', async () => {
  const isForbidden = (address: string): boolean => address.startsWith('10.') || address === '::1'
  const records = (a: RecordMap[string], b: RecordMap[string]) => ({
    'hamburger.example': { MX: [mx(1, 'a.example'), mx(2, 'b.example')] },
    ...{ 'a.example': a, 'b.example': b },
  })
  const of = (map: RecordMap, domain = 'hamburger.example') => choose(map, domain, { isForbidden })
  const inside = { A: ['10.0.0.1'], AAAA: ['::1'] }
  const all = await of(records(inside, inside))
  assert.ok(all.kind === 'permanent' && all.reason === 'no-host' && all.status === '5.4.4')
  const itself = await of({ 'hamburger.example': { A: ['10.0.0.1'] } })
  assert.ok(itself.kind === 'permanent' && itself.status === '5.4.4')
  const literal = await of({}, '[10.0.0.1]')
  assert.ok(literal.kind === 'permanent' && literal.status === '5.1.2')
  for (const other of [{ A: ['192.0.2.1'] }, { A: ['10.0.0.1', '192.0.2.1'] }, 'timeout' as const])
    assert.equal((await of(records(inside, other))).kind, 'hosts')
  assert.equal((await of({}, '[192.0.2.1]')).kind, 'hosts')
  assert.equal((await choose(records(inside, inside))).kind, 'hosts')
})
