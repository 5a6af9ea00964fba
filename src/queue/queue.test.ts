import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint } from '../base/config.ts'
import type { FiledHere } from './options.ts'
import { startRemote } from './fake-remote.ts'
import {
  isEmpty,
  letterText,
  oneHost,
  openFixture,
  pause,
  tappedStore,
  until,
  wasAttempted,
} from './queue-fixture.ts'

const minute = 60_000
const day = 24 * 60 * minute

test('the queue runs from its start to its stop, and not while the store fails it', async (t) => {
  const fixture = await openFixture()
  t.after(() => fixture.close())
  const lease = fixture.store.lease.bind(fixture.store)
  fixture.store.lease = () => Promise.reject(new Error('no'))
  const queue = fixture.queue()
  while (queue.runs) await new Promise((resolve) => setImmediate(resolve))
  fixture.store.lease = lease
  while (!queue.runs) {
    fixture.clock.advance(5_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const stopped = queue.stop(0)
  fixture.clock.advance(60_000)
  await stopped
  assert.equal(queue.runs, false)
})

test('a letter is handed to the host of its domain and leaves the queue', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.queue()
  await fixture.send({ journeyId: 'way1' })
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 1)
  assert.equal(remote.letters[0]!.reversePath, 'alice@crepes.fr')
  assert.deepEqual(remote.letters[0]!.recipients, ['bob@hamburger.edu'])
  assert.equal(
    remote.letters[0]!.text,
    `Received: by mail.crepes.fr; Thu, 01 Jan 2026 00:00:00 +0000\r\n${letterText}`,
  )
  assert.deepEqual(fixture.dialled, [{ hostname: 'mx.hamburger.edu', address: '192.0.2.1', port: 25 }])
  await until('QUIT was said', () => remote.lines.at(-1) === 'QUIT')
})

test('the journey of a letter tells its look-up, connection, dialogue and end, to sender and admin only', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.queue()
  const [queueId] = await fixture.send({ journeyId: 'way1' })
  await until('the connection has ended', () => remote.connections === 1 && remote.open === 0)
  await until('it is told', () => fixture.journey('way1').facts.state === 'delivered')
  const { facts, events } = fixture.journey('way1')
  assert.deepEqual(facts.queueIds, [queueId])
  assert.equal(facts.links?.length, 1)
  const kinds = events.map((event) => event.kind)
  assert.deepEqual(kinds[0], 'attempt.start')
  for (const kind of ['dns.ask', 'dns.answer', 'tcp.open', 'wire', 'attempt.end'] as const) {
    assert.ok(kinds.includes(kind), `no ${kind} in ${kinds.join(' ')}`)
  }
  assert.ok(events.every((event) => !event.visibleTo.includes('recipient')))
  const end = events.find((event) => event.kind === 'attempt.end')!
  assert.equal(end.branch, 'bob@hamburger.edu')
  assert.equal(end.data['outcome'], 'delivered')
})

test('a letter that is refused for now is tried again when its time has come, and not before', async (t) => {
  const remote = await startRemote({ rcpt: () => '450 4.2.0 Greylisted, come back' })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.queue()
  const start = fixture.clock.now()
  await fixture.send({ journeyId: 'way1' })
  await until('it was tried', () => wasAttempted(fixture, 1))
  const [row] = await fixture.rows()
  assert.ok(row!.nextAttemptAt >= start + minute && row!.nextAttemptAt <= start + 1.1 * minute)
  assert.equal(row!.recipients[0]!.lastReply, 'mx.hamburger.edu: 450 4.2.0 Greylisted, come back')
  await until('it is told', () => fixture.journey('way1').facts.state === 'retrying')
  const { events } = fixture.journey('way1')
  assert.equal(
    events.find((event) => event.kind === 'queue.retry')!.data['nextAttemptAt'],
    row!.nextAttemptAt,
  )

  remote.script = {}
  fixture.clock.advance(row!.nextAttemptAt - fixture.clock.now() - 1)
  await pause(50)
  assert.equal(remote.connections, 1)
  fixture.clock.advance(1)
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 1)
})

test('other times between attempts count from the next one on', async (t) => {
  const remote = await startRemote({ rcpt: () => '450 4.2.0 Come back' })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  let retryMs: readonly number[] | null = null
  fixture.queue({ retryMs: () => retryMs })
  await fixture.send({})
  await until('it was tried', () => wasAttempted(fixture, 1))
  retryMs = [day]
  const [first] = await fixture.rows()
  assert.ok(first!.nextAttemptAt - fixture.clock.now() <= 1.1 * minute)
  fixture.clock.advance(first!.nextAttemptAt - fixture.clock.now())
  await until('it was tried again', () => wasAttempted(fixture, 2))
  const [second] = await fixture.rows()
  assert.ok(second!.nextAttemptAt - fixture.clock.now() >= day)
})

test('a letter refused for good leaves the queue in the transaction that files its report', async (t) => {
  const remote = await startRemote({ rcpt: () => '550 5.1.1 No such user here' })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.store.addDomain('crepes.fr')
  const alice = await fixture.store.addAccount('alice@crepes.fr', null)
  const calls: string[] = []
  const store = tappedStore(fixture.store, (name, args) => {
    if (name === 'settle') calls.push('settle')
    if (name === 'accept') calls.push(`accept ${(args[0] as { settle: unknown[] }[])[0]!.settle.length}`)
    return null
  })
  fixture.queue({ store })
  await fixture.send({ accountId: alice.accountId, journeyId: 'way1' })
  await until('the queue is empty', () => isEmpty(fixture))
  assert.deepEqual(calls, ['accept 1'])
  const letters = await fixture.inbox(alice.accountId)
  assert.equal(letters.length, 1)
  assert.ok(letters[0]!.startsWith('Return-Path: <>\r\n'))
  assert.match(letters[0]!, /Status: 5\.1\.1\r\n/)
  assert.match(letters[0]!, /Subject: Ketchup\?\r\n/)
  assert.ok(!letters[0]!.includes('Do you like ketchup'))
  await until('it is told', () => fixture.journey('way1').facts.state === 'refused')
  const dsn = fixture.journey('way1').events.find((event) => event.kind === 'dsn')!
  assert.equal(fixture.journey(dsn.data['journeyId'] as string).facts.state, 'delivered')
})

test('the report to a sender elsewhere is queued with the null reverse-path, and never reported about', async (t) => {
  const remote = await startRemote({ rcpt: () => '550 5.7.1 We take nothing' })
  const fixture = await openFixture({ ...oneHost, 'crepes.fr': { A: ['192.0.2.2'] } })
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port).set('192.0.2.2', remote.port)
  fixture.queue()
  await fixture.send({})
  await until('the report was refused too', () =>
    remote.lines.some((line) => line.startsWith('MAIL FROM:<>')),
  )
  await until('the queue is empty', () => isEmpty(fixture))
  await pause(50)
  assert.ok(await isEmpty(fixture))
  assert.equal(remote.lines.filter((line) => line.startsWith('MAIL')).length, 2)
})

test('NOTIFY=NEVER is respected: a failure leaves no report', async (t) => {
  const remote = await startRemote({ rcpt: () => '550 5.1.1 No' })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.store.addDomain('crepes.fr')
  const alice = await fixture.store.addAccount('alice@crepes.fr', null)
  fixture.queue()
  await fixture.send({ recipients: [{ forwardPath: 'bob@hamburger.edu', orcpt: null, notify: 'NEVER' }] })
  await until('the queue is empty', () => isEmpty(fixture))
  assert.deepEqual(await fixture.inbox(alice.accountId), [])
})

test('each recipient of a letter has an end of its own', async (t) => {
  const replies: Record<string, string> = {
    'bob@hamburger.edu': '250 2.1.5 Ok',
    'gone@hamburger.edu': '550 5.1.1 No such user',
    'busy@hamburger.edu': '452 4.2.2 Full',
  }
  const remote = await startRemote({ rcpt: (path) => replies[path]! })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.store.addDomain('crepes.fr')
  const alice = await fixture.store.addAccount('alice@crepes.fr', null)
  fixture.queue()
  const recipients = Object.keys(replies).map((forwardPath) => ({ forwardPath, orcpt: null, notify: null }))
  await fixture.send({ recipients })
  await until('it was tried', () => wasAttempted(fixture, 1))
  assert.equal((await fixture.inbox(alice.accountId)).length, 1)
  replies['busy@hamburger.edu'] = '250 2.1.5 Ok'
  fixture.clock.advance(2 * minute)
  await until('the queue is empty', () => isEmpty(fixture))
  assert.deepEqual(
    remote.letters.map((letter) => letter.recipients),
    [['bob@hamburger.edu'], ['busy@hamburger.edu']],
  )
  assert.equal((await fixture.inbox(alice.accountId)).length, 1)
})

test('a letter that was refused for now for five days comes back with a report', async (t) => {
  const remote = await startRemote({ rcpt: () => '450 4.2.0 Not now' })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.store.addDomain('crepes.fr')
  const alice = await fixture.store.addAccount('alice@crepes.fr', null)
  fixture.queue()
  await fixture.send({ accountId: alice.accountId })
  for (let attempts = 1; ; attempts++) {
    await until(`attempt ${attempts} has ended`, async () => {
      return (await isEmpty(fixture)) || wasAttempted(fixture, attempts)
    })
    const [row] = await fixture.rows()
    if (row === undefined) break
    assert.ok(attempts < 50)
    fixture.clock.advance(row.nextAttemptAt - fixture.clock.now())
  }
  const letters = await fixture.inbox(alice.accountId)
  assert.deepEqual(
    letters.map((text) => /Action: (.*)\r\n/.exec(text)![1]),
    ['delayed', 'failed'],
  )
  assert.match(letters[1]!, /It was tried for 5 days/)
  assert.match(letters[1]!, /Status: 4\.2\.0\r\n/)
})

test('a letter whose life ended while the server was off is still tried once', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.send({})
  fixture.clock.advance(6 * day)
  fixture.queue()
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 1)
})

test('routes take the place of MX, and "discard" dials nobody', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture()
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('127.1.0.1', remote.port)
  const routes = new Map<string, Endpoint | 'discard'>([
    ['d1.test', { address: '127.1.0.1', port: 2626 }],
    ['discard.test', 'discard'],
  ])
  fixture.queue({ routes })
  const row = (domain: string) => ({
    domain,
    recipients: [{ forwardPath: `bob@${domain}`, orcpt: null, notify: null }],
  })
  await fixture.send(row('d1.test'), row('discard.test'))
  await until('the queue is empty', () => isEmpty(fixture))
  assert.deepEqual(fixture.dialled, [{ hostname: '127.1.0.1', address: '127.1.0.1', port: 2626 }])
  assert.deepEqual(fixture.resolver.asked, [])
  assert.deepEqual(
    remote.letters.map((letter) => letter.recipients),
    [['bob@d1.test']],
  )
})

test('a domain whose only hosts are never dialled, and such a literal, are told to the sender at once', async (t) => {
  const fixture = await openFixture(oneHost)
  t.after(() => fixture.close())
  await fixture.store.addDomain('crepes.fr')
  const alice = await fixture.store.addAccount('alice@crepes.fr', null)
  fixture.queue({ isForbidden: (address) => address === '192.0.2.1' })
  for (const domain of ['hamburger.edu', '[192.0.2.1]']) {
    const recipients = [{ forwardPath: `bob@${domain}`, orcpt: null, notify: null }]
    await fixture.send({ accountId: alice.accountId, domain, recipients })
  }
  await until('the queue is empty', () => isEmpty(fixture))
  assert.deepEqual(fixture.dialled, [])
  const reports = (await fixture.inbox(alice.accountId)).join('')
  for (const status of ['5.4.4', '5.1.2']) assert.match(reports, new RegExp(`^Status: ${status}`, 'm'))
})

test('a letter for a domain that has become ours is filed here, once', async (t) => {
  const fixture = await openFixture()
  t.after(() => fixture.close())
  await fixture.store.addDomain('hamburger.edu')
  const bob = await fixture.store.addAccount('bob@hamburger.edu', null)
  const told: FiledHere[] = []
  fixture.queue({ filed: (letter) => told.push(letter) })
  await fixture.send({ journeyId: 'way1' })
  await until('the queue is empty', () => isEmpty(fixture))
  const letters = await fixture.inbox(bob.accountId)
  assert.deepEqual(letters, [
    `Return-Path: <alice@crepes.fr>\r\nReceived: by mail.crepes.fr; Thu, 01 Jan 2026 00:00:00 +0000\r\n${letterText}`,
  ])
  assert.deepEqual(fixture.dialled, [])
  await until('it is told', () => fixture.journey('way1').facts.state === 'delivered')
  assert.deepEqual(
    told.map(({ recipients, filed }) => [recipients, filed.map(({ accountId }) => accountId)]),
    [[['bob@hamburger.edu'], [bob.accountId]]],
  )
})

test('a queue without a dialler attempts nothing', async (t) => {
  const fixture = await openFixture(oneHost)
  t.after(() => fixture.close())
  const queue = fixture.queue({ dialler: null })
  await fixture.send({})
  fixture.clock.advance(day)
  await pause(20)
  const [row] = await fixture.rows()
  assert.equal(row!.attempts, 0)
  assert.equal(row!.leasedUntil, null)
  assert.equal(queue.active, 0)
})

test('a thousand letters to a hundred domains arrive within the bounds', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture({ 'mx.example': { A: ['192.0.2.9'] } })
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.9', remote.port)
  const rows = []
  for (let n = 0; n < 1000; n++) {
    const domain = `d${n % 100}.example`
    fixture.resolver.set(domain, { MX: [{ preference: 1, exchange: 'mx.example' }] })
    rows.push({ domain, recipients: [{ forwardPath: `u${n}@${domain}`, orcpt: null, notify: null }] })
  }
  for (let from = 0; from < rows.length; from += 100) await fixture.send(...rows.slice(from, from + 100))
  fixture.queue({ bounds: { connections: 20, connectionsPerDestination: 2, held: 300 } })
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 1000)
  assert.equal(new Set(remote.letters.map((letter) => letter.recipients[0])).size, 1000)
  // The remote hears of an end a little after us.
  assert.ok(remote.mostOpen <= 22, `${remote.mostOpen} connections at once`)
})
