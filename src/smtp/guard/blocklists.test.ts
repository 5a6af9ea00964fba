import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlocklistConfig } from '../../base/guards-config.ts'
import type { RecordMap } from '../../dns/map-resolver.ts'
import { guardWorld } from './guard-fixture.ts'

const zone = 'bl.example'
/** RFC 5782 */
const tests = { '2.0.0.127.bl.example': { A: ['127.0.0.2'] } }
const ipv6Test = `2.0.0.0.0.0.f.7.f.f.f.f.${'0.'.repeat(20)}${zone}`

function setUp(records: RecordMap, list: Partial<BlocklistConfig> = {}, more: BlocklistConfig[] = []) {
  const config = { zone, action: 'refuse' as const, weight: 0, answers: [], ...list }
  const world = guardWorld({ config: { blocklists: [config, ...more] }, dns: records })
  const send = async (remoteAddress = '192.0.2.7', to = 'bob@hamburger.example'): Promise<string> => {
    const visit = world.come({ remoteAddress })
    await visit.mail('alice@crepes.example')
    const answer = await visit.rcpt(to)
    return answer === 'ok' ? visit.end() : answer
  }
  return { ...world, send }
}

test('a listed address is refused, and may still write to postmaster', async () => {
  const { send, resolver } = setUp({ ...tests, '7.2.0.192.bl.example': { A: ['127.0.0.4'] } })
  assert.equal(await send(), '554 5.7.1 Your address is listed by bl.example')
  assert.equal(await send('192.0.2.8'), 'ok')
  assert.equal(await send('192.0.2.7', 'Postmaster@hamburger.example'), 'ok')
  assert.ok(resolver.asked.includes('8.2.0.192.bl.example A'))
})

test('IPv6 addresses are asked for by their digits, once the list has shown that it knows any', async () => {
  const name = `7.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.${zone}`
  const { send } = setUp({ [ipv6Test]: { A: ['127.0.0.2'] }, [name]: { A: ['127.0.0.2'] } })
  assert.match(await send('2001:db8::7'), /^554/)
  assert.equal(await send('2001:db8::8'), 'ok')
  const without = setUp({ ...tests, [name]: { A: ['127.0.0.2'] } })
  assert.equal(await without.send('2001:db8::7'), 'ok')
})

test('a list that fails its test, or lists everybody, is not believed', async () => {
  const listed = { '7.2.0.192.bl.example': { A: ['127.0.0.2'] } }
  for (const records of [
    listed,
    { ...listed, ...tests, '1.0.0.127.bl.example': { A: ['127.0.0.2'] } },
    { ...listed, '2.0.0.127.bl.example': 'timeout' as const },
    { ...listed, '2.0.0.127.bl.example': { A: ['203.0.113.1'] } },
  ]) {
    const { send, logged } = setUp(records)
    assert.equal(await send(), 'ok')
    assert.match(logged.join(''), /fails its test/)
  }
})

test('error codes and failures list nobody; a list that refuses us is left alone for an hour', async () => {
  const { send, resolver, clock, logged } = setUp({
    ...tests,
    '7.2.0.192.bl.example': { A: ['127.255.255.254'] },
    '8.2.0.192.bl.example': 'servfail',
    '9.2.0.192.bl.example': { A: ['127.0.0.2'] },
  })
  assert.equal(await send('192.0.2.8'), 'ok')
  assert.match(await send('192.0.2.9'), /^554/)
  assert.equal(await send(), 'ok')
  assert.match(logged.join(''), /refuses to answer/)
  const before = resolver.asked.length
  assert.equal(await send('192.0.2.9'), 'ok')
  assert.equal(resolver.asked.length, before)
  clock.advance(3_600_000)
  assert.match(await send('192.0.2.9'), /^554/)
})

test('only the answers that are named count', async () => {
  const records = {
    ...tests,
    '7.2.0.192.bl.example': { A: ['127.0.0.10'] },
    '8.2.0.192.bl.example': { A: ['127.0.0.2'] },
  }
  const { send } = setUp(records, { answers: ['127.0.0.2', '127.0.0.3'] })
  assert.equal(await send(), 'ok')
  assert.match(await send('192.0.2.8'), /^554/)
})

test('a list may send to Junk, and weights add up', async () => {
  const records = { ...tests, '7.2.0.192.bl.example': { A: ['127.0.0.2'] } }
  assert.equal(await setUp(records, { action: 'junk' }).send(), 'junk: listed by bl.example')
  assert.equal(await setUp(records, { action: 'weigh', weight: 99 }).send(), 'ok')
  const second = { zone: 'other.example', action: 'weigh' as const, weight: 50, answers: [] }
  const both = {
    ...records,
    '2.0.0.127.other.example': { A: ['127.0.0.2'] },
    '7.2.0.192.other.example': { A: ['127.0.0.2'] },
  }
  assert.match(await setUp(both, { action: 'weigh', weight: 50 }, [second]).send(), /^554 5\.7\.1/)
  assert.equal(await setUp(both, { action: 'weigh', weight: 49 }, [second]).send(), 'ok')
})

test('nobody asks a list about addresses of one’s own network, nor about who is trusted', async () => {
  const { send, resolver, come } = setUp(tests)
  for (const address of ['127.0.0.1', '10.1.2.3', '192.168.1.1', '172.31.0.1', '::1', 'fe80::1', 'fd00::1'])
    assert.equal(await send(address), 'ok')
  await come({ trusted: true }).rcpt('bob@hamburger.example')
  assert.deepEqual(resolver.asked, [])
})
