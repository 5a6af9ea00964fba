import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatPrefix, hostOf, networkOf, octetsOf, parsePrefix, PrefixMap } from './network.ts'

test('an IPv4 address counts for itself and with its /24, an IPv6 address by its /64 and its /48', () => {
  assert.equal(hostOf('192.0.2.7'), '192.0.2.7')
  assert.equal(networkOf('192.0.2.7'), '192.0.2.0/24')
  assert.equal(hostOf('2001:DB8:0:1:a:b:c:d'), '2001:db8:0:1::/64')
  assert.equal(hostOf('2001:db8:0:1::9'), '2001:db8:0:1::/64')
  assert.equal(networkOf('2001:db8:7:1::9'), '2001:db8:7::/48')
  assert.equal(hostOf('::1'), '0:0:0:0::/64')
  assert.equal(hostOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.equal(hostOf('::ffff:192.0.2.7'), '192.0.2.7')
  assert.equal(networkOf('::ffff:c000:207'), '192.0.2.0/24')
  assert.equal(hostOf(''), '')
})

test('prefixes are read, shortened as RFC 5952 has it, and what is none is refused', () => {
  for (const [text, shown] of [
    ['192.0.2.77/24', '192.0.2.0/24'],
    ['192.0.2.77', '192.0.2.77'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0:1::/80', '2001:db8:0:0:1::/80'],
    ['2001:db8::1', '2001:db8::1'],
    ['::/0', '::/0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.255/30', '192.0.2.252/30'],
  ] as const) {
    const prefix = parsePrefix(text)
    assert.ok(prefix !== null, text)
    assert.equal(formatPrefix(prefix), shown)
    assert.deepEqual(parsePrefix(formatPrefix(prefix)), prefix)
  }
  for (const text of ['', '192.0.2', '192.0.2.0/33', '192.0.2.0/', '192.0.2.0/x', '::/129', 'mail', '::1/-1'])
    assert.equal(parsePrefix(text), null, text)
})

test('the longest prefix counts', () => {
  const map = new PrefixMap<string>()
  for (const text of ['192.0.2.0/24', '192.0.2.128/25', '192.0.2.200', '2001:db8::/32', '0.0.0.0/0'])
    map.set(parsePrefix(text)!, text)
  assert.equal(map.find('192.0.2.1'), '192.0.2.0/24')
  assert.equal(map.find('192.0.2.129'), '192.0.2.128/25')
  assert.equal(map.find('192.0.2.200'), '192.0.2.200')
  assert.equal(map.find('198.51.100.1'), '0.0.0.0/0')
  assert.equal(map.find('2001:db8:ffff::1'), '2001:db8::/32')
  assert.equal(map.find('2001:db9::1'), null)
  assert.equal(map.delete(parsePrefix('192.0.2.128/25')!), true)
  assert.equal(map.delete(parsePrefix('192.0.2.128/25')!), false)
  assert.equal(map.find('192.0.2.129'), '192.0.2.0/24')
  assert.equal(map.size, 4)
})

test('whether an address lies under a prefix is as Node’s own BlockList has it', () => {
  const pair = fc.oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6()))
  fc.assert(
    fc.property(pair, fc.nat(128), ([base, asked], length) => {
      // An IPv4 address in IPv6's clothes is IPv4 here.
      fc.pre([base, asked].every((each) => isIPv4(each) || octetsOf(each)?.length === 16))
      const bits = isIPv4(base) ? length % 33 : length
      const map = new PrefixMap<true>()
      map.set(parsePrefix(`${base}/${bits}`)!, true)
      const list = new BlockList()
      const family = isIPv4(base) ? 'ipv4' : 'ipv6'
      list.addSubnet(base, bits, family)
      assert.equal(map.find(asked) !== null, list.check(asked, family))
      assert.equal(map.find(base), true)
    }),
  )
})
