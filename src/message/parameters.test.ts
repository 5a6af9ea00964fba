import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Parameter,
  parseContentType,
  parseDisposition,
  parseLanguages,
  parseToken,
} from './parameters.ts'

const CASES: [value: string, type: string, parameters: Parameter[]][] = [
  ['text/plain', 'text/plain', []],
  ['TEXT/Plain; Charset=UTF-8', 'text/plain', [['charset', 'UTF-8']]],
  // RFC 2045 §5.1: these two are the same.
  ['text/plain; charset=us-ascii (Plain text)', 'text/plain', [['charset', 'us-ascii']]],
  ['text/plain; charset="us-ascii"', 'text/plain', [['charset', 'us-ascii']]],
  ['text/plain (a; b) ; (c) charset = utf-8', 'text/plain', [['charset', 'utf-8']]],
  ['multipart/mixed; boundary="a \\"b\\" c"', 'multipart/mixed', [['boundary', 'a "b" c']]],
  ['multipart/mixed; boundary=gc0pJq0M:08jU534c0p', 'multipart/mixed', [['boundary', 'gc0pJq0M:08jU534c0p']]],
  // RFC 2231 §3
  [
    'message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"',
    'message/external-body',
    [
      ['access-type', 'URL'],
      ['url', 'ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar'],
    ],
  ],
  // RFC 2231 §4
  [
    "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
    'application/x-stuff',
    [['title', 'This is ***fun***']],
  ],
  // RFC 2231 §4.1
  [
    "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
    'application/x-stuff',
    [['title', "This is even more ***fun*** isn't it!"]],
  ],
  ["a/b; n*1*=%A4; n*0*=utf-8''%C3", 'a/b', [['n', 'ä']]],
  ["a/b; n*=iso-8859-1''caf%e9; n=cafe", 'a/b', [['n', 'café']]],
  ['a/b; n*0=a; n*2=c', 'a/b', [['n', 'a']]],
  ['a/b; n*1=b', 'a/b', []],
  ['a/b; n*=no-marks%20here', 'a/b', [['n', 'no-marks here']]],
  ['a/b; n=first; n=second', 'a/b', [['n', 'first']]],
  [
    'a/b; name=my file (1).txt; x=y',
    'a/b',
    [
      ['name', 'my file (1).txt'],
      ['x', 'y'],
    ],
  ],
  ['a/b;;; ; =x; y; z=1', 'a/b', [['z', '1']]],
  ['a/b; n="never closed; x=y', 'a/b', [['n', 'never closed; x=y']]],
  [
    'a/b; n="x"junk; m=1',
    'a/b',
    [
      ['n', 'x'],
      ['m', '1'],
    ],
  ],
  ['a/b junk; n=1', 'a/b', [['n', '1']]],
  ['a/b (never closed; n=1', 'a/b', []],
  ['a/b; __proto__=1', 'a/b', [['__proto__', '1']]],
]

for (const [value, type, parameters] of CASES) {
  test(`Content-Type: ${value}`, () => {
    const parsed = parseContentType(value)
    assert.equal(`${parsed?.type}/${parsed?.subtype}`, type)
    assert.deepEqual(parsed?.parameters, parameters)
  })
}

for (const value of ['', 'text', 'text/', '/plain', 'text plain', ';', '"text/plain"', 'tëxt/plain']) {
  test(`Content-Type: ${JSON.stringify(value)} cannot be read`, () =>
    assert.equal(parseContentType(value), null))
}

test('a disposition has a type, or is an attachment when it has only a name', () => {
  assert.deepEqual(parseDisposition('Attachment; FILENAME=a.txt; size=3'), {
    type: 'attachment',
    parameters: [
      ['filename', 'a.txt'],
      ['size', '3'],
    ],
  })
  assert.deepEqual(parseDisposition('; filename=x'), { type: 'attachment', parameters: [['filename', 'x']] })
  assert.equal(parseDisposition(''), null)
})

test('encodings and languages', () => {
  assert.equal(parseToken(' (c) Quoted-Printable (x)'), 'quoted-printable')
  assert.equal(parseToken('"base64"'), '')
  assert.deepEqual(parseLanguages('de-AT, (Swiss) de-CH,, x y'), ['de-AT', 'de-CH'])
})

test('a field full of parameters and continuations is read to a bound, in one pass', () => {
  const bomb = 'a/b' + Array.from({ length: 50_000 }, (_, index) => `; n*${index}*=%41`).join('')
  assert.equal(parseContentType(bomb)?.parameters[0]?.[1], 'A'.repeat(100))
  assert.equal(parseContentType('a/b' + ';'.repeat(200_000))?.parameters.length, 0)
  assert.equal(parseContentType('a/b;' + '('.repeat(200_000))?.parameters.length, 0)
  assert.equal(parseContentType('a/b;' + 'n='.repeat(100_000))?.parameters.length, 1)
  assert.equal(parseContentType('a/b;n="' + '\\"'.repeat(100_000))?.parameters.length, 1)
})

test('a value percent-encoded by RFC 2231 in pieces is put together again', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (text, size) => {
        const octets = Buffer.from(text.toWellFormed(), 'utf8')
        let value = 'a/b'
        for (let at = 0; at < octets.length; at += size) {
          const hex = octets.toString('hex', at, Math.min(octets.length, at + size)).replace(/../g, '%$&')
          value += `; n*${at / size}*=${at === 0 ? "utf-8''" : ''}${hex}`
        }
        if (octets.length / size > 100) return
        assert.equal(parseContentType(value)?.parameters[0]?.[1], text.toWellFormed().replace(/^\ufeff/, ''))
      },
    ),
  )
})
