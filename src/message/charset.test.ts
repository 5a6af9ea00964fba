import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeCharset } from './charset.ts'

const octets = (text: string) => Buffer.from(text, 'latin1')

const CASES: [label: string, octets: string, text: string][] = [
  ['utf-8', 'caf\xc3\xa9', 'café'],
  ['UTF8', '\xef\xbb\xbfa', 'a'],
  ['"iso-8859-1"', 'caf\xe9', 'café'],
  ['iso-8859-2', '\xb1', 'ą'],
  ['iso-8859-15', '\xa4', '€'],
  ['windows-1252', '\x80', '€'],
  ['us-ascii', 'caf\xc3\xa9', 'café'],
  ['us-ascii', 'caf\xe9', 'café'],
  ['koi8-r', '\xf0\xd2\xc9\xd7\xc5\xd4', 'Привет'],
  ['utf-7', 'Hi Mom -+Jjo--!', 'Hi Mom -☺-!'],
  ['unicode-1-1-utf-7', '+ZeVnLIqe-', '日本語'],
  ['iso-2022-jp', '\x1b$B$3$s\x1b(B', 'こん'],
  ['iso-2022-kr', '\x1b$)C\x0e>H3g\x0f hi', '안녕 hi'],
  ['hz-gb-2312', 'a~{<:Ky2;S{#,NpJ)SZHK!#~}~~b', 'a己所不欲，勿施于人。~b'],
  ['cp949', '\xbe\xc8', '안'],
  ['cp932', '\x82\xa0', 'あ'],
  ['cp850', '\x82', 'é'],
  ['utf-16', '\x00a\x00b', 'ab'],
  ['utf-16', '\xff\xfea\x00', 'a'],
  ['unknown-8bit', 'caf\xe9', 'café'],
  ['base64', 'YQ==', 'YQ=='],
  ['hex', '61', '61'],
  ['__proto__', 'a', 'a'],
  ['', 'a', 'a'],
]

for (const [label, encoded, text] of CASES) {
  test(`${JSON.stringify(encoded)} in ${label} is ${text}`, () =>
    assert.equal(decodeCharset(octets(encoded), label), text))
}

test('no octets in any charset, real or not, bring out anything but text', () => {
  const label = fc.oneof(
    fc.constantFrom(...CASES.map(([label]) => label), 'gbk', 'big5', 'euc-jp'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), label, (octets, label) => {
      assert.equal(typeof decodeCharset(octets, label), 'string')
    }),
    { numRuns: 1000 },
  )
})
