import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeBase64,
  decodeQuotedPrintable,
  decodeTransferEncoding,
  encodeBase64,
  encodeQuotedPrintable,
} from './transfer-encoding.ts'

const octets = (text: string) => Buffer.from(text, 'latin1')

const BASE64: [string, string][] = [
  ['', ''],
  ['SGVsbG8=', 'Hello'],
  ['SGVs\r\nbG8=\r\n', 'Hello'],
  ['SGVsbG8', 'Hello'],
  ['S!G*V sbG8=', 'Hello'],
  ['SGVsbG8=IQ==', 'Hello!'],
  ['SGVsbG8=\r\nSGVsbG8=\r\n', 'HelloHello'],
  ['====', ''],
]

for (const [encoded, text] of BASE64) {
  test(`base64 ${JSON.stringify(encoded)} is ${JSON.stringify(text)}`, () => {
    assert.equal(decodeBase64(octets(encoded)).toString('latin1'), text)
  })
}

const QUOTED_PRINTABLE: [string, string][] = [
  // RFC 2045 §6.7
  [
    "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
    "Now's the time for all folk to come to the aid of their country.",
  ],
  ['caf=E9', 'caf\xe9'],
  ['caf=e9', 'caf\xe9'],
  ['a=3Db', 'a=b'],
  ['trailing \t \r\nx  ', 'trailing\r\nx'],
  ['soft= \t\r\nbreak', 'softbreak'],
  ['bare=\nlf', 'barelf'],
  ['odd =ZZ = =4', 'odd =ZZ = =4'],
  ['ends=', 'ends'],
  ['\xe9', '\xe9'],
]

for (const [encoded, text] of QUOTED_PRINTABLE) {
  test(`quoted-printable ${JSON.stringify(encoded)} is ${JSON.stringify(text)}`, () => {
    assert.equal(decodeQuotedPrintable(octets(encoded)).toString('latin1'), text)
  })
}

test('what is encoded keeps within 76 characters and decodes to the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (content) => {
      for (const encoded of [encodeBase64(content), encodeQuotedPrintable(content)]) {
        for (const line of encoded.split('\r\n')) assert.match(line, /^[\t -~]{0,76}$/)
      }
      assert.deepEqual(new Uint8Array(decodeBase64(octets(encodeBase64(content)))), content)
      assert.deepEqual(new Uint8Array(decodeQuotedPrintable(octets(encodeQuotedPrintable(content)))), content)
    }),
    { numRuns: 500 },
  )
})

test('an encoding nobody knows is left as it is', () => {
  assert.equal(decodeTransferEncoding(octets('a=20'), 'x-mine').toString(), octets('a=20').toString())
  assert.equal(
    decodeTransferEncoding(octets('a=20b'), 'quoted-printable').toString(),
    octets('a b').toString(),
  )
})
