import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRemote } from './fake-remote.ts'
import { isEmpty, oneHost, openFixture, pause, until, wasAttempted } from './queue-fixture.ts'

const minute = 60_000

test('hosts are tried in MX order, with all addresses of each, until one talks', async (t) => {
  const remote = await startRemote()
  const busy = await startRemote({ greeting: '421 4.3.2 Too busy' })
  const fixture = await openFixture({
    'hamburger.edu': {
      MX: [
        { preference: 20, exchange: 'second.hamburger.edu' },
        { preference: 10, exchange: 'first.hamburger.edu' },
        { preference: 30, exchange: 'third.hamburger.edu' },
      ],
    },
    'first.hamburger.edu': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
    'second.hamburger.edu': { A: ['192.0.2.2'] },
    'third.hamburger.edu': { A: ['192.0.2.3'] },
  })
  t.after(() => Promise.all([fixture.close(), remote.close(), busy.close()]))
  fixture.hosts.set('192.0.2.2', busy.port).set('192.0.2.3', remote.port)
  fixture.queue()
  await fixture.send({})
  await until('the queue is empty', () => isEmpty(fixture))
  const order = fixture.dialled.map((target) => target.address)
  assert.deepEqual(order.slice(0, 2).sort(), ['192.0.2.1', '2001:db8::1'])
  assert.deepEqual(order.slice(2), ['192.0.2.2', '192.0.2.3'])
  assert.equal(remote.letters.length, 1)
})

test('a host that refuses the letter itself is believed: the next one is not asked', async (t) => {
  const remote = await startRemote({ rcpt: () => '550 5.1.1 No' })
  const other = await startRemote()
  const fixture = await openFixture({
    'hamburger.edu': {
      MX: [
        { preference: 10, exchange: 'first.hamburger.edu' },
        { preference: 20, exchange: 'second.hamburger.edu' },
      ],
    },
    'first.hamburger.edu': { A: ['192.0.2.1'] },
    'second.hamburger.edu': { A: ['192.0.2.2'] },
  })
  t.after(() => Promise.all([fixture.close(), remote.close(), other.close()]))
  fixture.hosts.set('192.0.2.1', remote.port).set('192.0.2.2', other.port)
  fixture.queue()
  await fixture.send({ reversePath: '' })
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(other.connections, 0)
})

test('a domain without mail is reported at once, one that DNS cannot answer for waits', async (t) => {
  const fixture = await openFixture({
    'nomail.example': { MX: [{ preference: 0, exchange: '' }] },
    'broken.example': 'servfail',
  })
  t.after(() => fixture.close())
  await fixture.store.addDomain('crepes.fr')
  const alice = await fixture.store.addAccount('alice@crepes.fr', null)
  fixture.queue()
  for (const domain of ['nomail.example', 'broken.example', 'nowhere.example']) {
    await fixture.send({ domain, recipients: [{ forwardPath: `bob@${domain}`, orcpt: null, notify: null }] })
  }
  await until('two are reported', async () => (await fixture.rows()).length === 1)
  await until('one waits', () => wasAttempted(fixture, 1))
  const reports = await fixture.inbox(alice.accountId)
  assert.deepEqual(reports.map((text) => /Final-Recipient: rfc822; (.*)\r\n/.exec(text)![1]).sort(), [
    'bob@nomail.example',
    'bob@nowhere.example',
  ])
  assert.deepEqual(fixture.dialled, [])
})

test('STARTTLS that fails is followed by the same letter in the clear', async (t) => {
  const remote = await startRemote({
    extensions: ['STARTTLS'],
    starttls: () => '220 2.0.0 Ready',
  })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.queue()
  await fixture.send({})
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 1)
  assert.equal(remote.connections, 2)
})

test('letters for one destination go over one connection', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.send({}, {}, {}, {}, {})
  fixture.queue()
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 5)
  assert.equal(remote.connections, 1)
})

test('a connection carries no more letters than its bound, then another one is opened', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.send({}, {}, {}, {}, {})
  fixture.queue({ bounds: { messagesPerConnection: 2 } })
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.connections, 3)
})

test('a host that hangs up between letters gets the next one on a new connection', async (t) => {
  let mails = 0
  const remote = await startRemote({
    mail: () => (++mails % 2 === 0 ? '421 4.7.0 One is enough' : '250 2.1.0 Ok'),
  })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.send({}, {}, {})
  fixture.queue()
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 3)
})

test('a destination that is down is tried by one connection, not by one for each letter', async (t) => {
  const fixture = await openFixture(oneHost)
  t.after(() => fixture.close())
  await fixture.send(...Array.from({ length: 50 }, () => ({})))
  fixture.queue()
  const allAttempted = (attempts: number) => async (): Promise<boolean> =>
    (await fixture.rows()).every((row) => row.attempts === attempts && row.leasedUntil === null)
  await until('all have been put off', allAttempted(1))
  assert.equal(fixture.dialled.length, 1)
  // A letter that comes meanwhile is put off without being tried.
  await fixture.send({})
  await until('it has been put off', allAttempted(1))
  assert.equal(fixture.dialled.length, 1)

  const remote = await startRemote()
  t.after(() => remote.close())
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.clock.advance(3 * minute)
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 51)
})

test('a person who says "now" is obeyed although the destination was down a moment ago', async (t) => {
  const fixture = await openFixture(oneHost)
  t.after(() => fixture.close())
  fixture.queue()
  await fixture.send({})
  await until('it was tried', () => wasAttempted(fixture, 1))
  const remote = await startRemote()
  t.after(() => remote.close())
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.clock.advance(1_000)
  await fixture.store.retryNow(null, fixture.clock.now())
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 1)
})

test('a letter that takes long does not hold up those behind it', async (t) => {
  let first = true
  const remote = await startRemote({
    endOfData() {
      const reply = first ? null : '250 2.0.0 Taken'
      first = false
      return reply
    },
  })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.send({}, {}, {})
  fixture.queue()
  await until('the first is stuck', () => !first)
  assert.equal(remote.connections, 1)
  fixture.clock.advance(5_000)
  await until('the others have arrived', () => remote.letters.length === 2)
  assert.equal(remote.connections, 2)
})

test('a destination that does not move lets others through although it has filled the room', async (t) => {
  const deaf = await startRemote({ mail: () => null })
  const remote = await startRemote()
  const fixture = await openFixture({ ...oneHost, 'quick.example': { A: ['192.0.2.2'] } })
  t.after(() => Promise.all([fixture.close(), deaf.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', deaf.port).set('192.0.2.2', remote.port)
  await fixture.send(...Array.from({ length: 250 }, () => ({})))
  fixture.clock.advance(1)
  const forwardPath = 'bob@quick.example'
  await fixture.send({ domain: 'quick.example', recipients: [{ forwardPath, orcpt: null, notify: null }] })
  fixture.queue({ bounds: { held: 200 } })
  await until('the slow one is spoken to', () => deaf.lines.some((line) => line.startsWith('MAIL')))
  await pause(50)
  assert.equal(remote.connections, 0)
  fixture.clock.advance(15_000)
  await until('the quick one has its letter', () => remote.letters.length === 1)
  assert.ok((await fixture.rows()).every((row) => row.attempts === 0))
})

test('a report of the remote names the host that said it, not another that was asked before', async (t) => {
  const remote = await startRemote({ rcpt: () => '550 5.1.1 No' })
  const fixture = await openFixture({
    'hamburger.edu': {
      MX: [
        { preference: 10, exchange: 'dead.hamburger.edu' },
        { preference: 20, exchange: 'alive.hamburger.edu' },
      ],
    },
    'dead.hamburger.edu': { A: ['192.0.2.1'] },
    'alive.hamburger.edu': { A: ['192.0.2.2'] },
  })
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.2', remote.port)
  await fixture.store.addDomain('crepes.fr')
  const alice = await fixture.store.addAccount('alice@crepes.fr', null)
  fixture.queue()
  await fixture.send({})
  await until('the queue is empty', () => isEmpty(fixture))
  const [report] = await fixture.inbox(alice.accountId)
  assert.match(report!, /Remote-MTA: dns; alive\.hamburger\.edu\r\n/)
})

test('a destination that ends every conversation before the letter is put off like one that is down', async (t) => {
  const remote = await startRemote({ mail: () => '421 4.3.2 Shutting down' })
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.send(...Array.from({ length: 20 }, () => ({})))
  fixture.queue()
  await until('all have been put off', async () =>
    (await fixture.rows()).every((row) => row.attempts === 1 && row.leasedUntil === null),
  )
  assert.ok(remote.connections < 10, `${remote.connections} connections`)
  const [row] = await fixture.rows()
  assert.equal(row!.recipients[0]!.lastReply, 'mx.hamburger.edu: 421 4.3.2 Shutting down')
})

test('the mail of a domain that we are a backup of goes to its primary, whatever its MX says', async (t) => {
  const remote = await startRemote()
  const fixture = await openFixture({
    'hamburger.edu': { MX: [{ preference: 10, exchange: 'elsewhere.example' }] },
    'elsewhere.example': { A: ['192.0.2.9'] },
    'primary.example': { A: ['192.0.2.1'] },
  })
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  fixture.queue({ primaryOf: async (domain) => (domain === 'hamburger.edu' ? 'primary.example' : null) })
  await fixture.send({})
  await until('the queue is empty', () => isEmpty(fixture))
  assert.deepEqual(
    fixture.dialled.map(({ hostname, address }) => [hostname, address]),
    [['primary.example', '192.0.2.1']],
  )
  assert.equal(remote.letters.length, 1)
})
