import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OctetWriter } from './octet-writer.ts'

const piece = fc.oneof(
  fc.record({
    kind: fc.constant('short' as const),
    text: fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  }),
  fc.record({ kind: fc.constant('text' as const), length: fc.constantFrom(0, 1, 9_000, 65_536, 70_000) }),
  fc.record({ kind: fc.constant('octets' as const), length: fc.constantFrom(0, 1, 9_000, 65_536, 70_000) }),
  fc.record({
    kind: fc.constant('number' as const),
    value: fc.oneof(fc.nat(), fc.constantFrom(0, 9, 10, 4_294_967_295, 2 ** 52)),
  }),
  fc.record({ kind: fc.constant('take' as const) }),
)

test('What is written comes out in order, wherever pieces end', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const writer = new OctetWriter()
      const taken: Uint8Array[] = []
      let expected = ''
      for (const one of pieces) {
        if (one.kind === 'take') taken.push(...writer.take())
        else if (one.kind === 'short') writer.short(one.text)
        else if (one.kind === 'number') writer.number(one.value)
        else if (one.kind === 'text') writer.text('x'.repeat(one.length))
        else writer.octets(Buffer.alloc(one.length, 'y'))
        if (one.kind === 'short') expected += one.text
        else if (one.kind === 'number') expected += String(one.value)
        else if (one.kind === 'text') expected += 'x'.repeat(one.length)
        else if (one.kind === 'octets') expected += 'y'.repeat(one.length)
      }
      taken.push(...writer.take())
      assert.ok(Buffer.concat(taken).toString('latin1') === expected)
    }),
  )
})

test('A date-time is written as RFC 3501 wants it', () => {
  const writer = new OctetWriter()
  writer.dateTime(Date.UTC(2026, 10, 3, 4, 5, 6, 999))
  writer.dateTime(Date.UTC(1969, 11, 31, 23, 59, 59))
  assert.equal(
    Buffer.concat(writer.take()).toString(),
    '" 3-Nov-2026 04:05:06 +0000""31-Dec-1969 23:59:59 +0000"',
  )
})
