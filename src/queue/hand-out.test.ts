/** What is queued while there is room comes to the queue with its accept; nothing else about the queue is different. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AccountUnknown } from '../store/errors.ts'
import type { QueueOptions } from './options.ts'
import { type RemoteScript, startRemote } from './fake-remote.ts'
import { type Fixture, isEmpty, oneHost, openFixture, pause, tappedStore, until } from './queue-fixture.ts'
import { acceptStaged, stageOctets } from './restage.ts'

/** A queue that has found nothing to do, and what it asks the store from then on. */
async function idleQueue(t: TestContext, script: RemoteScript = {}, changes: Partial<QueueOptions> = {}) {
  const remote = await startRemote(script)
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  const calls: string[] = []
  const store = tappedStore(fixture.store, (name) => {
    calls.push(name)
    return null
  })
  const queue = fixture.queue({ store, ...changes })
  await until('it has looked', () => calls.includes('nextDueAt'))
  calls.splice(0)
  const leases = () => calls.filter((name) => name === 'lease').length
  return { ...fixture, remote, fixture, queue, calls, leases }
}

test('a letter that is queued while there is room goes out, and nobody asks the store for it', async (t) => {
  const { fixture, remote, calls } = await idleQueue(t)
  await Promise.all([fixture.send({}, {}), fixture.send({})])
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 3)
  assert.deepEqual([...new Set(calls)].sort(), ['readBody', 'settle'])
})

test('so does one that a route discards', async (t) => {
  const { fixture, calls } = await idleQueue(t, {}, { routes: new Map([['hamburger.edu', 'discard']]) })
  await fixture.send({ journeyId: 'way1' })
  await until('the queue is empty', () => isEmpty(fixture))
  assert.deepEqual(calls, ['settle'])
  await until('it is told', () => fixture.journey('way1').facts.state === 'delivered')
})

test('its sender is answered before anything is told of its way', async (t) => {
  const { fixture } = await idleQueue(t, {}, { routes: new Map([['hamburger.edu', 'discard']]) })
  await fixture.send({ journeyId: 'way1' })
  // What whoever accepted it does with the answer comes first, however many promises that takes.
  for (let n = 0; n < 100; n++) await null
  assert.deepEqual(fixture.journeyEntries, [])
  await until('it is told', () => fixture.journeyEntries.length > 0)
})

test('a letter for which there is no room waits in the store and is asked for when there is', async (t) => {
  const { fixture, remote, leases } = await idleQueue(t, { endOfData: () => null }, { bounds: { held: 1 } })
  await fixture.send({})
  await until('one is under way', () => remote.lines.includes('DATA'))
  await fixture.send({})
  const [, second] = await fixture.rows()
  assert.equal(second!.leasedUntil, null)
  assert.equal(leases(), 0)
  remote.script = {}
  fixture.clock.advance(20 * 60_000)
  await until('the queue is empty', async () => {
    fixture.clock.advance(60_000)
    await pause(5)
    return isEmpty(fixture)
  })
  assert.ok(leases() > 0)
})

test('what waits in the store is not overtaken by what is queued later', async (t) => {
  const slow = await startRemote({ endOfData: () => null })
  const routes = new Map([['slow.example', { address: '192.0.2.9', port: 25 }]])
  const { fixture, remote } = await idleQueue(t, { endOfData: () => null }, { bounds: { held: 8 }, routes })
  fixture.hosts.set('192.0.2.9', slow.port)
  await fixture.send({ domain: 'slow.example' }, {}, {}, {}, {}, {}, {}, {})
  await fixture.send({})
  await until('both are under way', () => slow.lines.includes('DATA') && remote.lines.includes('DATA'))
  await slow.close()
  await until('there is room for one', () => wasAttemptedFirst(fixture))
  // Too little for asking the store: so there is room, and somebody who came before.
  const [last] = await fixture.send({})
  assert.equal((await fixture.rows()).find((row) => row.queueId === last)!.leasedUntil, null)
})

async function wasAttemptedFirst(fixture: Fixture): Promise<boolean> {
  const [first] = await fixture.rows()
  return first!.attempts === 1 && first!.leasedUntil === null
}

test('an accept that fails gives the room back', async (t) => {
  const { fixture, remote, leases } = await idleQueue(t, {}, { bounds: { held: 2 } })
  const { store, clock } = fixture
  for (let n = 0; n < 5; n++) {
    const nobody = { accountId: 999, mailboxId: null, prefix: '', flags: 0, keywords: [], internalDate: 0 }
    const staged = await stageOctets(store, Buffer.from('Subject: no\r\n\r\n'))
    await assert.rejects(
      acceptStaged(store, staged, [{ ...nobody, journeyId: null }], [fixture.row(), fixture.row()], []),
      AccountUnknown,
    )
  }
  await fixture.send({}, {})
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 2)
  assert.equal(leases(), 0)
  assert.equal(clock.now(), fixture.row().nextAttemptAt)
})

test('one that its sender holds back is not taken up before its time', async (t) => {
  const { fixture, remote, leases } = await idleQueue(t)
  const at = fixture.clock.now() + 60_000
  await fixture.send({ nextAttemptAt: at }, {})
  await until('the other one is gone', () => remote.letters.length === 1)
  const [held] = await fixture.rows()
  assert.deepEqual([held!.leasedUntil, held!.nextAttemptAt], [null, at])
  await until('it has been looked for', () => leases() > 0)
  await until('the queue is empty', () => {
    fixture.clock.advance(60_000)
    return isEmpty(fixture)
  })
  assert.equal(remote.letters.length, 2)
})

test('what is being queued when the queue stops is given back', async (t) => {
  const { fixture, remote, queue } = await idleQueue(t)
  const staged = await stageOctets(fixture.store, Buffer.from('Subject: late\r\n\r\n'))
  const accepted = acceptStaged(fixture.store, staged, [], [fixture.row()], [])
  await queue.stop(0)
  await accepted
  const [row] = await fixture.rows()
  assert.ok(row!.leasedUntil! <= fixture.clock.now())
  assert.deepEqual([remote.connections, row!.attempts], [0, 0])
  await fixture.send({})
  assert.equal((await fixture.rows())[1]!.leasedUntil, null)
})
