import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Address, formatAddress, formatAddressList, parseAddressList } from './address.ts'
import { decodeEncodedWords } from './encoded-word.ts'

/** One line an element: `name|mailbox@host`, `group:`, `;`. */
function told(list: readonly Address[]): string[] {
  return list.map(({ name, mailbox, host }) => {
    if (host === null) return mailbox === null ? ';' : `${mailbox}:`
    return `${name ?? ''}|${mailbox}@${host}`
  })
}

const CASES: [text: string, ...elements: string[]][] = [
  [''],
  ['a@b', '|a@b'],
  // RFC 5322 appendix A.1.2
  ['"Joe Q. Public" <john.q.public@example.com>', 'Joe Q. Public|john.q.public@example.com'],
  [
    'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
    'Mary Smith|mary@x.test',
    '|jdoe@example.org',
    'Who?|one@y.test',
  ],
  [
    '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
    '|boss@nil.test',
    'Giant; "Big" Box|sysservices@example.net',
  ],
  // RFC 5322 appendix A.1.3
  [
    'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
    'A Group:',
    'Ed Jones|c@a.test',
    '|joe@where.test',
    'John|jdoe@one.test',
    ';',
  ],
  ['Undisclosed recipients:;', 'Undisclosed recipients:', ';'],
  // RFC 5322 appendix A.5
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', 'Pete|pete@silly.test'],
  [
    "A Group(Some people)     :Chris Jones <c@(Chris's host.)public.example>,  joe@example.org,  John <jdoe@one.test> (my dear friend); (the end of the group)",
    'A Group:',
    'Chris Jones|c@public.example',
    '|joe@example.org',
    'John|jdoe@one.test',
    ';',
  ],
  ['(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', 'Hidden recipients:', ';'],
  // RFC 5322 appendix A.6.1
  ['Joe Q. Public <john.q.public@example.com>', 'Joe Q. Public|john.q.public@example.com'],
  [
    'Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example',
    'Mary Smith|mary@example.net',
    '|jdoe@test.example',
  ],
  // RFC 5322 appendix A.6.3
  ['John Doe <jdoe@machine(comment).  example>', 'John Doe|jdoe@machine.example'],
  // The world
  ['joe@x.example (Joe)', 'Joe|joe@x.example'],
  ['Joe Smith joe@x.example', 'Joe Smith|joe@x.example'],
  ['a@b; c@d', '|a@b', '|c@d'],
  ['<@a,@b:joe@c>', '|joe@c'],
  ['"john doe"@x', '|john doe@x'],
  ['x@[IPv6:2001:db8:: 1]', '|x@[IPv6:2001:db8::1]'],
  ['Ünal <ü@ü.example>', 'Ünal|ü@ü.example'],
  ['undisclosed-recipients', '|undisclosed-recipients@'],
  ['<>'],
  ['MAILER-DAEMON <>', 'MAILER-DAEMON|@'],
  ['"" <a@b>', '|a@b'],
  ['a@b@c', '|a@b@c'],
  ['<a@b', '|a@b'],
  ['"never closed <a@b>, c@d', 'never closed|a@b', '|c@d'],
  ['(never closed a@b', 'never closed|a@b'],
  ['a@[1.2.3', '|a@1.2.3'],
  ['G: a@b', 'G:', '|a@b', ';'],
]

for (const [text, ...elements] of CASES) {
  test(`address list ${JSON.stringify(text)}`, () => assert.deepEqual(told(parseAddressList(text)), elements))
}

test('junk is read to its end without an error, in one pass', () => {
  for (const piece of [
    '(',
    '"',
    '[',
    '<',
    ',',
    ':',
    '@',
    ';',
    'a ',
    'a:',
    '\\',
    '("',
    '<@',
    '[]',
    '"a" ',
    'a@b,',
  ]) {
    const list = parseAddressList(piece.repeat(100_000))
    assert.ok(list.length <= 2001, piece)
  }
})

const domain = fc.stringMatching(/^[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,2}$/)
const text = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  )
  .filter((name) => !/[\x00-\x1f\x7f]/.test(name) && name.isWellFormed())
const mailbox = fc.record({ name: fc.option(text), mailbox: text, host: domain }, { noNullPrototype: true })

test('what is written is read again as the same', () => {
  fc.assert(
    fc.property(fc.array(mailbox, { maxLength: 4 }), (list) => {
      const written = formatAddressList(list)
      const read = parseAddressList(written).map(({ name, ...rest }) => ({
        name: name === null ? null : decodeEncodedWords(name),
        ...rest,
      }))
      assert.deepEqual(read, list)
    }),
    { numRuns: 2000 },
  )
})

test('groups are written and read again', () => {
  for (const line of ['A: b@c, "D. E" <f@g>;', 'A: ;, b@c', 'a@b, G: c@d;']) {
    const list = parseAddressList(line)
    assert.deepEqual(parseAddressList(formatAddressList(list)), list)
  }
})

test('no address can begin another header field or another address', () => {
  const evil = { name: 'x\r\nBcc: y@z', mailbox: 'a\r\nb', host: 'c>\r\n, <d@e' }
  assert.equal(formatAddress(evil), '"x Bcc: y@z" <ab@cde>')
})
