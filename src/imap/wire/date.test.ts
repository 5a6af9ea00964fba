import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDateTime, parseDate, parseDateTime } from './date.ts'

test('RFC 3501 §6.3.11 and §7.4.2: the dates of the examples', () => {
  assert.equal(parseDateTime('17-Jul-1996 02:44:25 -0700'), Date.UTC(1996, 6, 17, 9, 44, 25))
  assert.equal(formatDateTime(Date.UTC(1996, 6, 7, 9, 44, 25)), ' 7-Jul-1996 09:44:25 +0000')
  assert.equal(parseDate('1-feb-1994'), Date.UTC(1994, 1, 1))
})

for (const text of ['31-Feb-1994', '0-Feb-1994', '1-Foo-1994', '1-Feb-94', '', '1-Feb-1994 ']) {
  test(`Date "${text}" is refused`, () => assert.throws(() => parseDate(text)))
}

test('A date-time that is written is the same second again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      assert.equal(parseDateTime(formatDateTime(seconds * 1000)), seconds * 1000)
    }),
  )
})
