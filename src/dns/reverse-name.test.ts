import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reverseName } from './reverse-name.ts'

test('an address becomes the name of its names', () => {
  assert.equal(reverseName('192.0.2.7'), '7.2.0.192.in-addr.arpa')
  // RFC 3596 §2.5.
  const printed = 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa'
  assert.equal(reverseName('4321:0:1:2:3:4:567:89ab'), printed)
  assert.equal(reverseName('2001:db8::1'), `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`)
  assert.equal(reverseName('2001:DB8:0::1'), reverseName('2001:db8::1'))
  assert.equal(reverseName('::'), `${'0.'.repeat(32)}ip6.arpa`)
})
