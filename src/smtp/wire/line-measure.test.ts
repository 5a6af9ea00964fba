import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineMeasure } from './line-measure.ts'

test('the longest line is known once it is longer than a chunk', () => {
  const measure = new LineMeasure()
  for (let i = 0; i < 4; i++) measure.push(Buffer.alloc(20_000, 'a'))
  assert.equal(measure.longestLine, 80_000)
  measure.push(Buffer.from('\r\nshort\r\n'))
  assert.ok(measure.longestLine >= 80_000)
  assert.equal(measure.octets, 80_009)
})
