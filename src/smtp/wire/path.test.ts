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
  `<${'a'.repeat(65)}@hamburger.edu>`,
  `<bob@${'a.'.repeat(128)}example>`,
]

for (const input of refused) {
  test(`path ${JSON.stringify(input.slice(0, 40))} is refused`, () => {
    assert.throws(() => parsePath(new Cursor(input), 'RCPT'), Refusal)
  })
}

test('MAIL takes the empty reverse-path, a size and a body type', () => {
  assert.deepEqual(parseMail('FROM:<> SIZE=1000 BODY=8BITMIME', true), {
    reversePath: null,
    size: 1000,
    body: '8BITMIME',
  })
})

test('L9 MAIL and RCPT take the space after the colon that the lecture prints', () => {
  assert.equal(formatMailbox(parseMail('FROM: <alice@crepes.fr>', false).reversePath!), 'alice@crepes.fr')
  assert.equal(formatMailbox(parseRcpt('TO: <bob@hamburger.edu>').forwardPath), 'bob@hamburger.edu')
})

test('MAIL refuses parameters that were not announced, RFC 5321 §4.1.1.11', () => {
  for (const args of ['FROM:<a@b.example> RET=FULL', 'FROM:<a@b.example> SMTPUTF8']) {
    assert.throws(
      () => parseMail(args, true),
      (error: unknown) => error instanceof Refusal && error.reply.code === 555,
    )
  }
  assert.throws(() => parseMail('FROM:<a@b.example> SIZE=1', false), Refusal)
  assert.throws(() => parseMail('FROM:<a@b.example> SIZE=1 SIZE=2', true), Refusal)
  assert.throws(() => parseMail('FROM:<a@b.example>SIZE=1', true), Refusal)
})

test('RCPT takes Postmaster without a domain, RFC 5321 §4.1.1.3', () => {
  assert.deepEqual(parseRcpt('TO:<Postmaster>').forwardPath, { localPart: 'Postmaster', domain: '' })
})

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
    'TO:',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      for (const parse of [(text: string) => parseMail(text, true), parseRcpt]) {
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
