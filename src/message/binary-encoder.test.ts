import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BinaryEncoder } from './binary-encoder.ts'

function encoded(text: string, cuts: readonly number[] = []): string {
  const encoder = new BinaryEncoder(10_000)
  const out: Uint8Array[] = []
  let from = 0
  for (const cut of [...cuts.toSorted((a, b) => a - b), text.length]) {
    if (cut < from || cut > text.length) continue
    out.push(...encoder.push(Buffer.from(text.slice(from, cut), 'latin1')))
    from = cut
  }
  out.push(...encoder.finish())
  return Buffer.concat(out).toString('latin1')
}

const everyCut = (text: string, expected: string): void => {
  assert.equal(encoded(text), expected)
  for (let cut = 0; cut <= text.length; cut++) assert.equal(encoded(text, [cut]), expected, `cut at ${cut}`)
  assert.equal(
    encoded(
      text,
      [...text].map((_, at) => at),
    ),
    expected,
  )
}

const base64 = (text: string): string =>
  Buffer.from(text, 'latin1')
    .toString('base64')
    .match(/.{1,76}/g)!
    .join('\r\n')

const picture = `GIF89a\0\r\n\n\r--bo\r\n--x\r\n.\r\n${'\xff\x00'.repeat(60)}`
const binary = 'Content-Transfer-Encoding: binary'

test('a binary part becomes base64 and the rest stays, however it is cut', () => {
  const multipart = (cte: string, middle: string, outer: string): string =>
    `Subject: x\r\nContent-Type: multipart/mixed; boundary="bound"\r\n${outer}\r\n\r\npreamble\r\n--bound\r\n\r\n` +
    `text\r\n--bound \r\nContent-Type: image/gif\r\n${cte}\r\nX: y\r\n\r\n${middle}\r\n--bound\r\n\r\nmore\r\n--bound--\r\nafter\r\n`
  everyCut(
    multipart(binary, picture, `${binary}`),
    multipart('Content-Transfer-Encoding: base64', base64(picture), 'Content-Transfer-Encoding: 8bit'),
  )
})

test('a message that is one binary body', () =>
  everyCut(
    `content-transfer-encoding : BINARY\r\nSubject: x\r\n\r\n${picture}`,
    `Content-Transfer-Encoding: base64\r\nSubject: x\r\n\r\n${base64(picture)}`,
  ))

test('parts in parts, a message in a part, an empty part', () => {
  const nested = (cte: string, cte8: string, middle: string): string =>
    `Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=ab\r\n\r\n` +
    `--ab\r\n${cte}\r\n\r\n${middle}\r\n--ab--\r\n--a\r\nContent-Type: message/rfc822\r\n${cte8}\r\n\r\n` +
    `Subject: inner\r\n${cte}\r\n\r\n${middle}\r\n--a\r\n${cte}\r\n\r\n\r\n--a--\r\n`
  everyCut(
    nested(binary, binary, picture),
    nested('Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: 8bit', base64(picture)),
  )
})

for (const text of [
  '',
  '\r\n',
  'no header',
  'Subject: x\r\n',
  'Subject: x\r\n\r\nbody\r\n',
  '\r\nbody\n\0\r\n',
]) {
  test(`${JSON.stringify(text)} passes as it is`, () => everyCut(text, text))
}

test('a header over its bound passes with all that follows', () => {
  const text = `${binary}\r\nX: ${'y'.repeat(20_000)}\r\n\r\n\0\0`
  assert.equal(encoded(text), text)
})

test('where the octets are cut makes no difference', () => {
  const piece = fc.constantFrom(
    '\r\n',
    '\r',
    '\n',
    '--',
    '--b',
    '\r\n--b',
    '\r\n--b--',
    'a',
    '\0',
    `${binary}\r\n`,
  )
  const head = `Content-Type: multipart/mixed; boundary=b\r\n\r\n`
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(200)), (pieces, cuts) => {
      const text = head + pieces.join('')
      assert.equal(encoded(text, cuts), encoded(text))
    }),
    { numRuns: 2_000 },
  )
})
