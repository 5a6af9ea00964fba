import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from './clock.ts'
import {
  ConnectionGate,
  type GateLimits,
  type GateOptions,
  type GateRefusal,
  type Place,
} from './connection-gate.ts'

const limits: GateLimits = {
  connectionsPerAddress: 2,
  connectionsPerNetwork: 5,
  connectionsPerMinute: 10,
  networkConnectionsPerMinute: 20,
  connectionsPerAccount: 3,
  addressesRemembered: 1_000,
}

function setUp(options: Partial<GateOptions> = {}) {
  const clock = new FakeClock()
  const gate = new ConnectionGate({ limits, clock, isTrusted: (one) => one === '192.0.2.99', ...options })
  const come = (address: string): Place => {
    const admitted = gate.admit(address)
    assert.ok(!('reason' in admitted), `${address} is let in`)
    return admitted
  }
  const refused = (address: string): GateRefusal['reason'] => {
    const admitted = gate.admit(address)
    assert.ok('reason' in admitted, `${address} is refused`)
    return admitted.reason
  }
  return { clock, gate, come, refused }
}

test('who has logged in does not count for the address any more, but for the account', () => {
  const { come, refused } = setUp()
  const [a, b] = [come('192.0.2.1'), come('192.0.2.1')]
  assert.equal(refused('192.0.2.1'), 'connections')
  assert.equal(a.enter(7), true)
  const c = come('192.0.2.1')
  assert.equal(refused('192.0.2.1'), 'connections')
  assert.equal(b.enter(7), true)
  assert.equal(c.enter(7), true)
  const d = come('192.0.2.1')
  assert.equal(d.enter(7), false)
  assert.equal(d.enter(8), true)
  a.leave()
  assert.equal(come('192.0.2.1').enter(7), true)
})

test('what has left is counted no more, however often it says so', () => {
  const { come, refused } = setUp()
  const [a] = [come('2001:db8::1'), come('2001:db8::2')]
  assert.equal(refused('2001:db8::3'), 'connections')
  a!.leave()
  a!.leave()
  come('2001:db8::4')
  assert.equal(refused('2001:db8::5'), 'connections')
})

test('a network is bounded as well', () => {
  const { come, refused } = setUp()
  for (let host = 1; host <= 5; host++) come(`192.0.2.${host}`)
  assert.equal(refused('192.0.2.6'), 'connections')
  come('198.51.100.1')
})

test('so are the connections a minute, and time heals', () => {
  const { clock, come, refused } = setUp()
  for (let i = 0; i < 10; i++) come('192.0.2.1').leave()
  assert.equal(refused('192.0.2.1'), 'rate')
  for (let i = 0; i < 10; i++) come('192.0.2.2').leave()
  assert.equal(refused('192.0.2.3'), 'rate')
  clock.advance(6_000)
  come('192.0.2.1')
})

test('a banned address does not come in, a trusted one always does', () => {
  const told: string[] = []
  const { come, refused } = setUp({
    banned: (address) => (address.startsWith('192.0.2.') ? 'guessed passwords' : null),
    turnedAway: ({ text }, address) => void told.push(`${address} ${text}`),
  })
  assert.equal(refused('192.0.2.1'), 'banned')
  for (let i = 0; i < 50; i++) come('192.0.2.99')
  assert.deepEqual(told, ['192.0.2.1 guessed passwords'])
})

test('behind a proxy the client’s own address counts', () => {
  const { come, refused } = setUp()
  for (let i = 0; i < 2; i++) assert.equal(come('192.0.2.99').moveTo('198.51.100.1'), null)
  assert.equal(come('192.0.2.99').moveTo('198.51.100.1')?.reason, 'connections')
  assert.equal(refused('198.51.100.1'), 'connections')
})

test('a million addresses are not all remembered', () => {
  const { gate, come } = setUp()
  for (let i = 0; i < 1_000_000; i++) {
    const admitted = gate.admit(`${11 + (i >> 18)}.${(i >> 10) & 255}.${(i >> 2) & 255}.${i & 3}`)
    if (!('reason' in admitted)) admitted.leave()
  }
  assert.deepEqual(gate.remembered, { rates: 2_000, counts: 0 })
  come('192.0.2.1')
})
