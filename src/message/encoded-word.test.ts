import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeEncodedWords, encodeWords } from './encoded-word.ts'

/** RFC 2047 §8. */
const RFC: [string, string][] = [
  ['=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore <moore@cs.utk.edu>'],
  ['=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>', 'Keld Jørn Simonsen <keld@dkuug.dk>'],
  ['=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>', 'André Pirard <PIRARD@vm1.ulg.ac.be>'],
  [
    '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=',
    'If you can read this you understand the example.',
  ],
  ['=?iso-8859-8?b?7eXs+SDv4SDo7Pf6?=', 'םולש ןב טלקת'],
  ['(=?ISO-8859-1?Q?a?=)', '(a)'],
  ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
  ['(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)', '(ab)'],
  ['(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)', '(ab)'],
  ['(=?ISO-8859-1?Q?a?=\r\n   =?ISO-8859-1?Q?b?=)', '(ab)'],
  ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
  ['(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)', '(a b)'],
]

/** What the world writes. */
const WORLD: [string, string][] = [
  ['=?utf-8?B?4pw=?= =?utf-8?B?kw==?=', '✓'],
  ['=?UTF-8*de?q?Gr=c3=bc=c3=9fe?=', 'Grüße'],
  ['=?utf-8?Q?a b?=', 'a b'],
  ['=?utf-8?Q?50%=?= x', '50%= x'],
  ['=?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=', 'こんにちは'],
  ['=?x-nobody-knows?Q?caf=E9?=', 'café'],
  ['a=?utf-8?Q?b?=c', 'abc'],
  ['=?utf-8?Q??=', ''],
]

const LEFT_ALONE = [
  '=?',
  '=?utf-8?',
  '=?utf-8?X?abc?=',
  '=?utf-8?Q?abc',
  '=?utf-8?Q?abc?',
  '=??Q?abc?=',
  'a =? b ?=',
  '?=',
]

for (const [encoded, text] of [...RFC, ...WORLD]) {
  test(`${JSON.stringify(encoded)} says ${JSON.stringify(text)}`, () =>
    assert.equal(decodeEncodedWords(encoded), text))
}

for (const text of LEFT_ALONE) {
  test(`${JSON.stringify(text)} is no encoded word and stays`, () =>
    assert.equal(decodeEncodedWords(text), text))
}

test('what is encoded is 7-bit words of at most 75 characters and says the same', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 120 }),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .array(fc.constantFrom('=?', '?=', ' ', 'ä', 'a', '\r\n', '\t', 'Привет', '😀', 'utf-8?Q?'))
      .map((a) => a.join('')),
  )
  fc.assert(
    fc.property(text, (text) => {
      const encoded = encodeWords(text)
      assert.match(encoded, /^[ -~]*$/)
      for (const word of encoded.split(' ')) if (word.startsWith('=?')) assert.ok(word.length <= 75)
      assert.equal(decodeEncodedWords(encoded), text.toWellFormed())
    }),
    { numRuns: 1000 },
  )
})

test('ASCII is written as it is, few accents legibly, other scripts in base64', () => {
  assert.equal(encodeWords('What? Plain.'), 'What? Plain.')
  assert.equal(encodeWords('My Café au lait'), 'My =?utf-8?Q?Caf=C3=A9?= au lait')
  assert.equal(encodeWords('Привет'), '=?utf-8?B?0J/RgNC40LLQtdGC?=')
})

test('a long text takes no long time, whatever its words are like', () => {
  const start = process.cpuUsage()
  for (const word of ['a', 'é', 'a'.repeat(699), '=', '=?', ' ', '\x00'])
    encodeWords(`${word} `.repeat(250_000 / word.length))
  assert.ok(process.cpuUsage(start).user < 3_000_000)
})
