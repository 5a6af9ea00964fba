import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoarseTimers } from './coarse-timers.ts'

test('what is waited for comes once, and what was cancelled does not', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  t.mock.method(performance, 'now', () => nowMs)
  const pass = (ms: number): void => {
    nowMs += ms
    t.mock.timers.tick(ms)
  }
  const timers = new CoarseTimers()
  const called: string[] = []
  const heard = (): string => called.join()
  timers.after(1_500, () => called.push('first'))
  const cancel = timers.after(1_500, () => called.push('cancelled'))
  pass(1_000)
  timers.after(3_000, () => called.push('second'))
  cancel()
  assert.equal(heard(), '')
  pass(1_000)
  assert.equal(heard(), 'first')
  pass(1_000)
  pass(1_000)
  assert.equal(heard(), 'first,second')
  pass(10_000)
  timers.after(0, () => called.push('anew'))
  pass(1_000)
  assert.equal(heard(), 'first,second,anew')
})
