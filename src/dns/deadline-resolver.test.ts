import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { DeadlineResolver } from './deadline-resolver.ts'
import { mapResolver } from './map-resolver.ts'
import { DnsFailure, type Resolver } from './resolver.ts'

const silent: Resolver = { query: () => new Promise(() => {}) }
const timeout = (error: unknown): boolean => error instanceof DnsFailure && error.reason === 'timeout'

test('questions that are open at the end have failed, and all further ones too', async () => {
  const clock = new FakeClock()
  const resolver = new DeadlineResolver(silent, clock)
  const open = [resolver.query('a.example', 'A'), resolver.query('b.example', 'TXT')]
  let late = 0
  resolver.endAfter(5_000, () => late++)
  clock.advance(4_999)
  assert.equal(late, 0)
  clock.advance(1)
  assert.equal(late, 1)
  for (const one of [...open, resolver.query('c.example', 'MX')]) await assert.rejects(one, timeout)
})

test('what is answered in time is passed on, failures too, and then nobody is late', async () => {
  const clock = new FakeClock()
  const inner = mapResolver({ 'a.example': { A: ['192.0.2.1'] }, 'b.example': 'servfail' })
  const resolver = new DeadlineResolver(inner, clock)
  let late = 0
  const cancel = resolver.endAfter(5_000, () => late++)
  assert.deepEqual((await resolver.query('a.example', 'A')).records, ['192.0.2.1'])
  await assert.rejects(resolver.query('b.example', 'A'), { reason: 'servfail' })
  cancel()
  clock.advance(10_000)
  assert.deepEqual((await resolver.query('a.example', 'A')).records, ['192.0.2.1'], 'it was called off')
  const anew = resolver.endAfter(5_000, () => late++)
  clock.advance(10_000)
  await assert.rejects(resolver.query('a.example', 'A'), timeout)
  anew()
  assert.deepEqual((await resolver.query('a.example', 'A')).records, ['192.0.2.1'])
  assert.equal(late, 0)
})
