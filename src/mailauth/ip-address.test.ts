import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, isInNetwork, readAddress } from './ip-address.ts'

test('an address that is written and read again is the same', () => {
  const octets = fc.array(fc.constantFrom(0, 0, 1, 255, 0xab), { minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(octets, (list) => {
      const address = { family: 6 as const, octets: Uint8Array.from(list) }
      const text = formatAddress(address)
      assert.ok(isIPv6(text), text)
      const read = readAddress(text)
      // One that is IPv4-mapped is read as IPv4.
      if (read?.family === 6) assert.deepEqual(Uint8Array.from(read.octets), address.octets)
      else assert.match(text, /^::ffff:/)
    }),
  )
})

test('IPv6 as people write it', () => {
  for (const [text, written] of [
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['2001:0db8::', '2001:db8::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ] as const) {
    assert.equal(formatAddress(readAddress(text)!), written)
  }
})

test('what is no address', () => {
  for (const text of ['', '1.2.3', '1.2.3.4.5', 'fe80::1%eth0', '[::1]', '1.2.3.04']) {
    assert.equal(readAddress(text), null, text)
  }
})

test('networks', () => {
  const inside = (address: string, network: string, bits: number): boolean =>
    isInNetwork(readAddress(address)!, readAddress(network)!, bits)
  assert.ok(inside('192.0.2.129', '192.0.2.128', 25))
  assert.ok(!inside('192.0.2.127', '192.0.2.128', 25))
  assert.ok(inside('198.51.100.1', '192.0.2.1', 0))
  assert.ok(!inside('2001:db8::1', '192.0.2.1', 0))
  assert.ok(inside('2001:db8::ff', '2001:db8::', 120))
})
