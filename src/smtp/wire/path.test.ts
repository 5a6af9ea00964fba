import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Cursor } from '../../base/cursor.ts'
import { parseMail } from './mail.ts'
import { formatMailbox, parsePath } from './path.ts'
import { parseRcpt } from './rcpt.ts'
import { Refusal } from './reply.ts'

const accepted: [string, string][] = [
  ['<alice@crepes.fr>', 'alice@crepes.fr'],
  ['<Alice@CREPES.fr>', 'Alice@crepes.fr'],
  ['<@one.example,@two.example:bob@hamburger.edu>', 'bob@hamburger.edu'],
  ['<"two words"@hamburger.edu>', '"two words"@hamburger.edu'],
  ['<"plain"@hamburger.edu>', 'plain@hamburger.edu'],
  ['<"a\\"b"@hamburger.edu>', '"a\\"b"@hamburger.edu'],
  ['<bob@[127.0.0.1]>', 'bob@[127.0.0.1]'],
  ['<bob@[IPv6:::1]>', 'bob@[ipv6:::1]'],
  ['<bob+lists@mail.hamburger.edu>', 'bob+lists@mail.hamburger.edu'],
  ["<o'brien@hamburger.edu>", "o'brien@hamburger.edu"],
  // RFC 5321 §4.5.3.1: what a list writes to number its letters is longer than 64.
  [`<bounce-${'a'.repeat(90)}@crepes.fr>`, `bounce-${'a'.repeat(90)}@crepes.fr`],
]

for (const [input, expected] of accepted) {
  test(`path ${input} is read`, () =>
    assert.equal(formatMailbox(parsePath(new Cursor(input), 'RCPT')), expected))
}

const refused = [
  '',
  'bob@hamburger.edu',
  '<bob@hamburger.edu',
  '<bob>',
  '<@hamburger.edu>',
  '<bob@>',
  '<bob..smith@hamburger.edu>',
  '<.bob@hamburger.edu>',
  '<bob@-hamburger.edu>',
  '<bob@hamburger..edu>',
  '<bob@[999.1.1.1]>',
  '<bob@[hamburger]>',
  '<b\u00f6b@hamburger.edu>',
  '<bob smith@hamburger.edu>',
  '<"open@hamburger.edu>',
  '<bob\0@hamburger.edu>',
  `<${'a'.repeat(244)}@hamburger.edu>`,
  `<bob@${'a.'.repeat(128)}example>`,
]

for (const input of refused) {
  test(`path ${JSON.stringify(input.slice(0, 40))} is refused`, () => {
    assert.throws(() => parsePath(new Cursor(input), 'RCPT'), Refusal)
  })
}

const ascii = { dsn: true, utf8: false }

test('L9 MAIL and RCPT take the space after the colon that the lecture prints', () => {
  assert.equal(formatMailbox(parseMail('FROM: <alice@crepes.fr>', new Set()).reversePath!), 'alice@crepes.fr')
  assert.equal(formatMailbox(parseRcpt('TO: <bob@hamburger.edu>', ascii).forwardPath), 'bob@hamburger.edu')
})

const octets = (text: string): string => Buffer.from(text).toString('latin1')
const utf8Path = (text: string): string =>
  formatMailbox(parsePath(new Cursor(octets(text)), 'RCPT', { utf8: true }))

test('RFC 6531 §3.3: UTF-8 in both halves of an address, the domain in A-labels afterwards', () => {
  assert.equal(utf8Path('<用户@例え.example>'), '用户@xn--r8jz45g.example')
  assert.equal(utf8Path('<"用 户"@hamburger.edu>'), '"用 户"@hamburger.edu')
  assert.equal(utf8Path('<"用户"@Straße.example>'), '用户@xn--strae-oqa.example')
  assert.equal(utf8Path('<bob@hamburger.edu>'), 'bob@hamburger.edu')
  for (const bad of [
    '<bob@ｈamburger.edu>', // full-width letters are no U-label
    '<bob@hamburger。edu>',
    '<bob@１２７.0.0.1>',
    '<用户..x@hamburger.edu>',
    '<用户@>',
    `<${'用'.repeat(85)}@hamburger.edu>`, // more than 256 octets
  ]) {
    assert.throws(() => utf8Path(bad), Refusal, bad)
  }
  const overlong = '<\xc0\xaf@hamburger.edu>'
  assert.throws(() => parsePath(new Cursor(overlong), 'RCPT', { utf8: true }), Refusal)
})

test('RCPT takes Postmaster without a domain, RFC 5321 §4.1.1.3', () => {
  assert.deepEqual(parseRcpt('TO:<Postmaster>', ascii).forwardPath, { localPart: 'Postmaster', domain: '' })
})

const everything = new Set([
  'SIZE',
  'BODY',
  'BINARYMIME',
  'SMTPUTF8',
  'AUTH',
  'RET',
  'ENVID',
  'BY',
  'HOLDUNTIL',
])
const parsers = [
  (text: string) => parseMail(text, everything),
  (text: string) => parseRcpt(text, ascii),
  (text: string) => parseRcpt(text, { dsn: true, utf8: true }),
]

test('no octets bring out anything but a path or a refusal', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '@',
    '"',
    '\\',
    '.',
    ',',
    ':',
    ' ',
    'a',
    'b.c',
    '[',
    ']',
    '\0',
    '\xff',
    '=',
    'FROM:',
    '\xc3\xa4',
    ' SMTPUTF8',
    ' ORCPT=utf-8;',
    ' BY=',
    'TO:',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      for (const parse of parsers) {
        try {
          parse(pieces.join(''))
        } catch (error) {
          assert.ok(error instanceof Refusal)
        }
      }
    }),
    { numRuns: 3_000 },
  )
})
