import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/clock.ts'
import { Deadline } from './deadline.ts'

test('a deadline that is put off, cleared and set again keeps one timer and is missed once', () => {
  let timers = 0
  class CountingClock extends FakeClock {
    override after(delayMs: number, callback: () => void): () => void {
      timers++
      return super.after(delayMs, callback)
    }
  }
  const clock = new CountingClock()
  let missed = 0
  const deadline = new Deadline(clock, () => missed++)
  for (let at = 0; at < 50; at++) {
    deadline.setIn(100)
    clock.advance(1)
    deadline.clear()
  }
  assert.equal(timers, 1)
  deadline.setIn(100)
  clock.advance(99)
  assert.equal(missed, 0)
  clock.advance(1)
  assert.equal(missed, 1)
  assert.ok(timers <= 3)
  clock.advance(1_000)
  assert.equal(missed, 1)
})

test('a connection that is gone leaves no timer', () => {
  const clock = new FakeClock()
  let missed = 0
  const deadline = new Deadline(clock, () => missed++)
  deadline.setIn(10)
  deadline.end()
  clock.advance(100)
  assert.equal(missed, 0)
})

test('a deadline that is set earlier than the last one is missed at its own time', () => {
  const clock = new FakeClock()
  let missed = 0
  const deadline = new Deadline(clock, () => missed++)
  deadline.setIn(1_000)
  deadline.setIn(10)
  clock.advance(10)
  assert.equal(missed, 1)
})
