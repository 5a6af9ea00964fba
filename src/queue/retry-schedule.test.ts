import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Random } from '../base/random.ts'
import { nextAttempt, outageMs } from './retry-schedule.ts'

const minute = 60_000
const least: Random = { bytes: (length) => new Uint8Array(length) }
const most: Random = { bytes: (length) => new Uint8Array(length).fill(255) }

test('attempts come after 1, 5, 15, 30, 60 and 120 minutes, then every four hours', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((attempts) => nextAttempt(attempts, 0, least) / minute)
  assert.deepEqual(delays, [1, 5, 15, 30, 60, 120, 240, 240, 240])
})

test('jitter makes a delay longer by a tenth at most, never shorter', () => {
  assert.ok(nextAttempt(2, 1000, most) <= 1000 + 5.5 * minute)
  assert.ok(nextAttempt(2, 1000, most) > 1000 + 5.4 * minute)
})

test('five days hold enough attempts, and few enough', () => {
  let now = 0
  let attempts = 1
  for (; now < 5 * 24 * 60 * minute; attempts++) now = nextAttempt(attempts, now, least)
  assert.ok(attempts > 30 && attempts < 40, `${attempts} attempts`)
})

test('a destination that stays down is left alone for up to a quarter of an hour', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 5000].map((failures) => outageMs(failures, least) / minute),
    [1, 2, 4, 8, 15, 15, 15],
  )
})
