import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { LoginGuard } from './login-guard.ts'

function guess(guard: LoginGuard, remoteAddress: string, account: string, proof: string): void {
  guard.begin(remoteAddress, account)
  guard.failed(remoteAddress, account, proof)
}

test('An address that fails on a hundred accounts waits, except where it has logged in before', () => {
  const clock = new FakeClock()
  const guard = new LoginGuard(clock)
  guard.succeeded('192.0.2.1', 'bob@example', false)
  for (let i = 0; i < 100; i++) guess(guard, '192.0.2.1', `user${i}@example`, 'proof')
  assert.equal(guard.admit('192.0.2.1', 'ada@example').kind, 'wait')
  assert.equal(guard.admit('192.0.2.1', 'bob@example').kind, 'go')
  assert.equal(guard.admit('192.0.2.2', 'ada@example').kind, 'go')
  clock.advance(6_000)
  assert.equal(guard.admit('192.0.2.1', 'ada@example').kind, 'go')
})

test('An account guessed at from everywhere is slow for strangers and as ever for its friends', () => {
  const guard = new LoginGuard(new FakeClock())
  guard.succeeded('2001:db8::1', 'bob@example', false)
  for (let i = 0; i < 100; i++) guess(guard, `192.0.2.${i}`, 'bob@example', 'proof')
  assert.deepEqual(guard.admit('198.51.100.1', 'bob@example'), { kind: 'slow', delayMs: 3_000 })
  assert.deepEqual(guard.admit('2001:db8:0:0:ffff::7', 'bob@example'), { kind: 'go' })
})

test('A password is known to be wrong only where it was tried', () => {
  const guard = new LoginGuard(new FakeClock())
  guess(guard, '192.0.2.1', 'bob@example', 'proof')
  assert.equal(guard.isKnownWrong('192.0.2.1', 'bob@example', 'proof'), true)
  assert.equal(guard.isKnownWrong('192.0.2.2', 'bob@example', 'proof'), false)
  assert.equal(guard.isKnownWrong('192.0.2.1', 'ada@example', 'proof'), false)
})

test('What the guard remembers is bounded', () => {
  const guard = new LoginGuard(new FakeClock())
  for (let i = 0; i < 60_000; i++) guess(guard, `2001:db8:${i.toString(16)}::1`, 'bob@example', 'proof')
  assert.equal(guard.isKnownWrong('2001:db8:0::1', 'bob@example', 'proof'), false)
  assert.equal(guard.isKnownWrong(`2001:db8:${(59_999).toString(16)}::1`, 'bob@example', 'proof'), true)
})
