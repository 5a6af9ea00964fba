import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from './refusal.ts'
import { formatSequenceSet, normaliseSequenceSet, parseSequenceSet } from './sequence-set.ts'

test('RFC 3501 §9: 2,4:7,9,12:* with 15 messages', () => {
  assert.deepEqual(normaliseSequenceSet(parseSequenceSet('2,4:7,9,12:*', 100), 15), [
    { first: 2, last: 2 },
    { first: 4, last: 7 },
    { first: 9, last: 9 },
    { first: 12, last: 15 },
  ])
})

test('RFC 3501 §9: *:4,5:7 with 10 messages is 4 to 10', () => {
  assert.deepEqual(normaliseSequenceSet(parseSequenceSet('*:4,5:7', 100), 10), [{ first: 4, last: 10 }])
})

for (const text of [
  '',
  '0',
  '1:',
  ':1',
  '1,,2',
  ',',
  '4294967296',
  '01',
  '1:2:3',
  '*:',
  '99999999999999999999',
]) {
  test(`Sequence set "${text}" is refused`, () => assert.throws(() => parseSequenceSet(text, 100), Refusal))
}

test('A set of more ranges than the bound is refused', () => {
  assert.throws(() => parseSequenceSet('1,3,5', 2), Refusal)
})

test('Numbers written as a set are the same numbers again', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (numbers) => {
      numbers.sort((a, b) => a - b)
      const again = normaliseSequenceSet(parseSequenceSet(formatSequenceSet(numbers), 100), 100).flatMap(
        ({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i),
      )
      assert.deepEqual(again, numbers)
    }),
  )
})
