import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineReader } from './line-reader.ts'

/** Everything the reader says about a text that comes in these pieces. */
function readAll(pieces: readonly string[], maxOctets: number): string[] {
  const reader = new LineReader()
  const said: string[] = []
  for (const piece of pieces) {
    reader.push(Buffer.from(piece, 'latin1'))
    for (let next = reader.next(maxOctets); next.kind !== 'more'; next = reader.next(maxOctets)) {
      said.push(next.kind === 'line' ? `line ${next.line}` : next.kind)
    }
  }
  return said
}

test('CRLF ends a line, and nothing else does', () => {
  assert.deepEqual(readAll(['a\r\n\r\nb c\r\n'], 10), ['line a', 'line ', 'line b c'])
  assert.deepEqual(readAll(['a\rb\r\n'], 10), ['line a\rb'])
  assert.deepEqual(readAll(['a\nb\r\n'], 10), ['bare-lf', 'line b'])
})

test('a line over the bound is reported once, and the next one is read', () => {
  assert.deepEqual(readAll(['12345\r\n123456\r\nok\r\n'], 5), ['line 12345', 'too-long', 'line ok'])
})

test('an endless line does not grow in memory', () => {
  const reader = new LineReader()
  for (let i = 0; i < 1_000; i++) {
    reader.push(Buffer.alloc(1_000, 'a'))
    assert.equal(reader.next(2_048).kind, 'more')
    assert.ok(reader.bufferedOctets <= 3_048)
  }
  reader.push(Buffer.from('\r\n'))
  assert.equal(reader.next(2_048).kind, 'too-long')
})

test('what was pipelined in the clear can be forgotten', () => {
  const reader = new LineReader()
  reader.push(Buffer.from('STARTTLS\r\nRSET\r\n'))
  assert.deepEqual(reader.next(100), { kind: 'line', line: 'STARTTLS' })
  reader.discard()
  assert.equal(reader.next(100).kind, 'more')
})

test('where the octets are cut makes no difference', () => {
  const piece = fc.constantFrom('a', 'bcd', '\r\n', '\r', '\n', '\0')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.nat(8), (pieces, max) => {
      const whole = pieces.join('')
      assert.deepEqual(readAll([...whole], max), readAll([whole], max))
      assert.deepEqual(readAll(pieces, max), readAll([whole], max))
    }),
    { numRuns: 1_000 },
  )
})
