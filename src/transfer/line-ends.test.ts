import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ToCrlf, ToLf } from './line-ends.ts'

type Converter = { push(piece: Uint8Array): Uint8Array; finish?(): Uint8Array }

function convert(converter: Converter, text: string, cuts: readonly number[] = []): string {
  const octets = Buffer.from(text, 'latin1')
  const ends = [...cuts.map((cut) => cut % (octets.length + 1)), octets.length].sort((a, b) => a - b)
  const pieces = ends.map((end, i) => Buffer.from(converter.push(octets.subarray(ends[i - 1] ?? 0, end))))
  return Buffer.concat([...pieces, converter.finish?.() ?? Buffer.alloc(0)]).toString('latin1')
}

test('bare LF becomes CRLF, and nothing else changes', () => {
  for (const [given, wanted] of [
    ['a\nb\n', 'a\r\nb\r\n'],
    ['a\r\nb\n', 'a\r\nb\r\n'],
    ['a\r\r\n', 'a\r\r\n'],
    ['\n\n', '\r\n\r\n'],
    ['a\rb', 'a\rb'],
    ['', ''],
  ] as const) {
    assert.equal(convert(new ToCrlf(), given), wanted)
  }
  assert.equal(convert(new ToLf(), 'a\r\nb\r\r\n\r\n\r'), 'a\nb\r\r\n\n\r')
})

const text = fc.array(fc.constantFrom('\r', '\n', 'a'), { maxLength: 30 }).map((chars) => chars.join(''))

test('wherever it is cut, CRLF comes back as it was, and bare LF as CRLF', () => {
  fc.assert(
    fc.property(text, fc.array(fc.nat(40), { maxLength: 5 }), (given, cuts) => {
      const there = convert(new ToLf(), given, cuts)
      const back = convert(new ToCrlf(), there, cuts)
      assert.equal(back, given.replace(/(?<!\r)\n/g, '\r\n'))
    }),
    { numRuns: 2_000 },
  )
})
