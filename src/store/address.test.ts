import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptAddress, keptDomain, normaliseAddress, normaliseDomain, shownName } from './address.ts'

const accepted: [string, string][] = [
  ['bob@hamburger.edu', 'bob@hamburger.edu'],
  ['BOB@Hamburger.EDU', 'bob@hamburger.edu'],
  ["o'neil+list.a-b@example", "o'neil+list.a-b@example"],
  ['"bob"@hamburger.edu', 'bob@hamburger.edu'],
  ['"Bob Smith"@example', '"bob smith"@example'],
  ['"a\\"b\\\\c"@example', '"a\\"b\\\\c"@example'],
  ['"b\\ob"@example', 'bob@example'],
  ['"a@b"@example', '"a@b"@example'],
  ['""@example', '""@example'],
  ['bob@Bücher.example', 'bob@xn--bcher-kva.example'],
  ['bob@bu\u0308cher.example', 'bob@xn--bcher-kva.example'],
  ['JÜRGEN@example', 'jürgen@example'],
  ['ju\u0308rgen@example', 'jürgen@example'],
  ['bob@[192.0.2.1]', 'bob@[192.0.2.1]'],
  ['bob@[IPv6:2001:DB8::1]', 'bob@[ipv6:2001:db8::1]'],
  ['bob@1.2.3', 'bob@1.2.3'],
  [`${'a'.repeat(246)}@example`, `${'a'.repeat(246)}@example`],
]

const refused = [
  '',
  '@',
  'bob',
  '@example',
  'bob@',
  '.bob@example',
  'bob.@example',
  'b..ob@example',
  'bob smith@example',
  'bob@exam ple',
  'bob@-example',
  'bob@example-',
  'bob@example.',
  'bob@.example',
  'bob@ex_ample',
  'a@b@example',
  '"bob@example',
  '"b"ob"@example',
  'bob\0@example',
  'bob\r\n@example',
  'bob@example\n',
  '"a\u0085b"@example',
  'bob\ud800@example',
  'bob@[192.0.2.256]',
  'bob@[2001:db8::1]',
  'bob@[IPv6:192.0.2.1]',
  `${'a'.repeat(247)}@example`,
  `${'ü'.repeat(124)}@example`,
  `bob@${'a'.repeat(64)}`,
  `bob@${'a.'.repeat(126)}example`,
  'a'.repeat(100_000),
]

test('An address has one form', () => {
  for (const [text, address] of accepted) {
    assert.equal(normaliseAddress(text), address, text)
    assert.equal(normaliseAddress(address), address, `${address} again`)
  }
})

test('What is no address, or is over the bounds of RFC 5321 §4.5.3.1, is null', () => {
  for (const text of refused) assert.equal(normaliseAddress(text), null, JSON.stringify(text.slice(0, 40)))
})

test('A domain is folded to lower case and A-labels', () => {
  assert.equal(normaliseDomain('Hamburger.EDU'), 'hamburger.edu')
  assert.equal(normaliseDomain('日本.example'), 'xn--wgv71a.example')
  for (const text of ['', '.', 'a..b', '[192.0.2.1]', 'ü%.example', 'a b'])
    assert.equal(normaliseDomain(text), null)
})

test('What is kept is that form, and for people to read it has U-labels', () => {
  for (const [text, address] of accepted) assert.equal(keptAddress(text), address, text)
  assert.equal(keptAddress('Nobody'), 'nobody')
  assert.equal(keptDomain('KÄSE.example'), 'xn--kse-qla.example')
  assert.equal(keptDomain('XN--KSE-QLA.example'), 'xn--kse-qla.example')
  assert.equal(shownName('xn--kse-qla.example'), 'käse.example')
  assert.equal(shownName('bob@xn--kse-qla.example'), 'bob@käse.example')
  for (const same of ['bob@hamburger.edu', 'xn--a.example', 'xn--bcher-kva@example'])
    assert.equal(shownName(same), same)
})
