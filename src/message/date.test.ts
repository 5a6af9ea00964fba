import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDate, parseDate } from './date.ts'

const CASES: [text: string, iso: string | null, offsetMinutes?: number][] = [
  // RFC 5322 appendix A
  ['Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06.000Z', -360],
  ['Tue, 1 Jul 2003 10:52:37 +0200', '2003-07-01T08:52:37.000Z', 120],
  [
    'Thu,      13        Feb          1969      23:32               -0330 (Newfoundland Time)',
    '1969-02-14T03:02:00.000Z',
    -210,
  ],
  ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06.000Z', 0],
  ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06.000Z', -360],
  // RFC 5322 §4.3
  ['1 Jan 49 00:00 UT', '2049-01-01T00:00:00.000Z', 0],
  ['1 Jan 50 00:00 UT', '1950-01-01T00:00:00.000Z', 0],
  ['1 Jan 103 00:00 UT', '2003-01-01T00:00:00.000Z', 0],
  ['1 Jul 2003 00:00 PDT', '2003-07-01T07:00:00.000Z', -420],
  ['1 Jul 2003 00:00 A', '2003-07-01T00:00:00.000Z', 0],
  ['1 Jul 2003 00:00 -0000', '2003-07-01T00:00:00.000Z', 0],
  // The world
  ['Mon Jan  1 10:20:30 2024', '2024-01-01T10:20:30.000Z', 0],
  ['Monday, 01-January-2024 10:20:30 +01:00', '2024-01-01T09:20:30.000Z', 60],
  ['1 Jul 2003 10:52', '2003-07-01T10:52:00.000Z', 0],
  ['Sat, 31 Dec 2016 23:59:60 +0000', '2017-01-01T00:00:00.000Z', 0],
  ['1 Jul 2003 10:52 CEST', '2003-07-01T10:52:00.000Z', 0],
  ['1 Jul 2003 10:52 +9959', '2003-07-01T10:52:00.000Z', 0],
  ['', null],
  ['tomorrow', null],
  ['30 Feb 2024 10:00 +0000', null],
  ['0 Jan 2024 10:00 +0000', null],
  ['1 Foo 2024 10:00 +0000', null],
  ['1 Jan 2024 24:00 +0000', null],
  ['1 Jan 1899 10:00 +0000', null],
  ['2024-01-01T10:00:00Z', null],
]

for (const [text, iso, offsetMinutes] of CASES) {
  test(`Date: ${text}`, () => {
    const date = parseDate(text)
    assert.equal(date === null ? null : new Date(date.epochMs).toISOString(), iso)
    if (date !== null) assert.equal(date.offsetMinutes, offsetMinutes)
  })
}

test('a date is written as RFC 5322 §3.3 has it', () => {
  assert.equal(formatDate(Date.UTC(2024, 0, 1, 9, 5, 3)), 'Mon, 01 Jan 2024 09:05:03 +0000')
  assert.equal(formatDate(Date.UTC(2024, 0, 1, 1, 5, 3), -210), 'Sun, 31 Dec 2023 21:35:03 -0330')
})

test('what is written is read again as the same moment and zone', () => {
  const seconds = fc.integer({ min: Date.UTC(1901, 0) / 1000, max: Date.UTC(9998, 0) / 1000 })
  fc.assert(
    fc.property(seconds, fc.integer({ min: -1439, max: 1439 }), (second, offsetMinutes) => {
      assert.deepEqual(parseDate(formatDate(second * 1000, offsetMinutes)), {
        epochMs: second * 1000,
        offsetMinutes,
      })
    }),
  )
})

test('no text is an error', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseDate(text)))
  assert.equal(parseDate('1 '.repeat(100_000)), null)
})
