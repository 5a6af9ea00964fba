import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { StoreUnavailable } from '../store/errors.ts'
import { startRemote } from './fake-remote.ts'
import { isEmpty, oneHost, openFixture, pause, storeHome, tappedStore, until } from './queue-fixture.ts'

const minute = 60_000
const day = 24 * 60 * minute

test('a letter handed over is not handed over again because the store could not note it', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  let failures = 3
  const store = tappedStore(fixture.store, (name) => {
    if (name !== 'settle' || failures === 0) return null
    failures--
    return Promise.reject(new StoreUnavailable('No space left on device'))
  })
  fixture.queue({ store })
  await fixture.send({})
  await until('the store was asked to note it', () => failures === 2)
  for (let n = 0; n < 200 && !(await isEmpty(fixture)); n++) {
    await pause(5)
    // Past the end of the first lease.
    fixture.clock.advance(5_000)
  }
  assert.ok(await isEmpty(fixture))
  assert.equal(remote.letters.length, 1)
})

test('a store that cannot lease is asked again later, and nothing is lost', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  let asked = 0
  const store = tappedStore(fixture.store, (name) =>
    name === 'lease' && ++asked === 1 ? Promise.reject(new StoreUnavailable('disk fails')) : null,
  )
  await fixture.send({})
  fixture.queue({ store })
  await until('the store has failed', () => asked === 1)
  await pause(20)
  fixture.clock.advance(5_000)
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 1)
})

test('a letter whose process died in the attempt is tried again when the lease has ended', async (t) => {
  const deaf = await startRemote({ mail: () => null })
  const remote = await startRemote()
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close(), deaf.close()]))
  fixture.hosts.set('192.0.2.1', deaf.port)
  // A clock of its own that stands still: nothing renews the lease any more.
  const dead = new FakeClock(fixture.clock.now())
  fixture.queue({ clock: dead })
  await fixture.send({})
  await until('the attempt is under way', () => deaf.lines.some((line) => line.startsWith('MAIL')))
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.queue()
  fixture.clock.advance(4 * minute)
  await pause(50)
  assert.equal(remote.connections, 0)
  fixture.clock.advance(2 * minute)
  await until('it has arrived', () => remote.letters.length === 1)
  await until('the queue is empty', () => isEmpty(fixture))
})

test('a lease is renewed while the attempt takes its time', async (t) => {
  const remote = await startRemote({ mail: () => null })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.queue({ clientLimits: { mailTimeoutMs: day } })
  await fixture.send({})
  await until('the attempt is under way', () => remote.lines.some((line) => line.startsWith('MAIL')))
  for (let n = 0; n < 12; n++) {
    fixture.clock.advance(minute)
    await pause(10)
  }
  assert.deepEqual(await fixture.store.lease(fixture.clock.now(), minute, 10), [])
  assert.equal(remote.connections, 1)
})

test('stopping gives back what nobody has begun with, and waits for what is under way', async (t) => {
  const remote = await startRemote({ endOfData: () => null })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.send({}, {}, {})
  const queue = fixture.queue()
  await until('one is under way', () => remote.lines.includes('DATA'))
  const stopped = queue.stop(10 * minute)
  await until('two are free again', async () => {
    const rows = await fixture.rows()
    return (
      rows.filter((row) => row.leasedUntil === null || row.leasedUntil <= fixture.clock.now()).length === 2
    )
  })
  await until('only it is under way', () => queue.active === 1)
  fixture.clock.advance(10 * minute)
  await stopped
  assert.equal(queue.active, 0)
  const rows = await fixture.rows()
  assert.deepEqual(rows.map((row) => row.attempts).sort(), [0, 0, 1])
})

/** Runs one letter to its end while the n-th call to the store fails. @returns How many calls there were. */
async function runWithFailure(n: number, way: 'away' | 'refused' | 'home'): Promise<number> {
  const remote = await startRemote(way === 'refused' ? { rcpt: () => '550 5.1.1 No' } : {})
  const fixture = await openFixture(oneHost)
  try {
    fixture.hosts.set('192.0.2.1', remote.port)
    await fixture.store.addDomain('crepes.fr')
    const alice = await fixture.store.addAccount('alice@crepes.fr', null)
    await fixture.send(
      way === 'home'
        ? { domain: 'crepes.fr', recipients: [{ forwardPath: 'alice@crepes.fr', orcpt: null, notify: null }] }
        : {},
    )
    let calls = 0
    const asynchronous = [
      'lease',
      'nextDueAt',
      'resolveAddress',
      'readBody',
      'settle',
      'accept',
      'renewLease',
    ]
    const store = tappedStore(fixture.store, (name) =>
      asynchronous.includes(name) && ++calls === n ? Promise.reject(new StoreUnavailable(`call ${n}`)) : null,
    )
    const queue = fixture.queue({ store, localDelivery: storeHome(store) })
    for (let round = 0; !(await isEmpty(fixture)) || queue.active > 0; round++) {
      assert.ok(round < 1_000, `call ${n} of ${way} left the letter in the queue`)
      await pause(2)
      if (round % 10 === 9) fixture.clock.advance(10_000)
    }
    assert.equal(remote.letters.length, way === 'away' ? 1 : 0, `call ${n} of ${way}`)
    const filed = await fixture.inbox(alice.accountId)
    assert.equal(filed.length, way === 'away' ? 0 : 1, `call ${n} of ${way}`)
    return calls
  } finally {
    await fixture.close()
    await remote.close()
  }
}

for (const way of ['away', 'refused', 'home'] as const) {
  test(`a letter (${way}) has one end, whichever call to the store fails on its way`, async () => {
    const calls = await runWithFailure(0, way)
    for (let n = 1; n <= calls; n++) await runWithFailure(n, way)
  })
}
