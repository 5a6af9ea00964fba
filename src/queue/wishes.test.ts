import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreUnavailable } from '../store/errors.ts'
import { noWishes } from '../store/queue.ts'
import { startRemote, type RemoteScript } from './fake-remote.ts'
import {
  type Fixture,
  isEmpty,
  oneHost,
  openFixture,
  pause,
  storeHome,
  tappedStore,
  until,
} from './queue-fixture.ts'

const minute = 60_000

/** One host at hamburger.edu, and alice@crepes.fr at home. */
async function begin(t: { after(work: () => unknown): void }, script: RemoteScript = {}) {
  const remote = await startRemote(script)
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port)
  await fixture.store.addDomain('crepes.fr')
  const alice = (await fixture.store.addAccount('alice@crepes.fr', null)).accountId
  return { remote, fixture, alice }
}

function to(forwardPath: string, notify: string | null = null) {
  return { forwardPath, orcpt: null, notify }
}

async function onlyReport(fixture: Fixture, accountId: number): Promise<string> {
  await until('it is reported', async () => (await fixture.inbox(accountId)).length > 0)
  await until('the queue is empty', () => isEmpty(fixture))
  const reports = await fixture.inbox(accountId)
  assert.equal(reports.length, 1)
  return reports[0]!
}

test('what is held back is not tried before its time', async (t) => {
  const { remote, fixture } = await begin(t)
  fixture.queue()
  const holdUntil = fixture.clock.now() + 10 * minute
  await fixture.send({ nextAttemptAt: holdUntil, wishes: { ...noWishes, holdUntil } })
  fixture.clock.advance(9 * minute)
  await pause(30)
  assert.equal(remote.connections, 0)
  fixture.clock.advance(minute)
  await until('it has arrived', () => remote.letters.length === 1)
})

test('of what waits for one destination the more urgent goes first', async (t) => {
  const { remote, fixture } = await begin(t)
  for (const priority of [0, -4, 4, 0]) {
    const forwardPath = `p${priority}@hamburger.edu`
    await fixture.send({ recipients: [to(forwardPath)], wishes: { ...noWishes, priority } })
  }
  fixture.queue({ bounds: { connectionsPerDestination: 1 } })
  await until('all have arrived', () => remote.letters.length === 4)
  assert.deepEqual(
    remote.letters.map((letter) => letter.recipients[0]!.split('@')[0]),
    ['p4', 'p0', 'p0', 'p-4'],
  )
})

test('RFC 6710 §4.2, §4.6: a server that knows priorities is told, and a report is as urgent as its letter', async (t) => {
  const { remote, fixture } = await begin(t, {
    extensions: ['MT-PRIORITY'],
    rcpt: (path) => (path.startsWith('nobody') ? '550 5.1.1 No' : '250 ok'),
  })
  const far = { reversePath: 'alice@hamburger.edu', recipients: [to('nobody@hamburger.edu')] }
  await fixture.send({ ...far, wishes: { ...noWishes, priority: 4 } }, {})
  fixture.queue()
  await until('the report has arrived', () => remote.letters.length === 2)
  assert.deepEqual(remote.lines.filter((line) => line.startsWith('MAIL')).sort(), [
    'MAIL FROM:<> MT-PRIORITY=4',
    'MAIL FROM:<alice@crepes.fr> MT-PRIORITY=0',
    'MAIL FROM:<alice@hamburger.edu> MT-PRIORITY=4',
  ])
})

test('a letter that requires TLS is never sent in the clear: it is returned with 5.7.10', async (t) => {
  const { remote, fixture, alice } = await begin(t, { extensions: ['REQUIRETLS'] })
  fixture.queue()
  await fixture.send({ wishes: { ...noWishes, requireTls: true }, ret: 'FULL' })
  const report = await onlyReport(fixture, alice)
  assert.match(report, /^Status: 5\.7\.10\r$/m)
  // RFC 8689 §5: as if RET=HDRS had been asked for.
  assert.ok(!report.includes('Do you like ketchup?'))
  assert.ok(!remote.lines.some((line) => line.startsWith('MAIL')))
})

test('others go on where one that requires TLS could not', async (t) => {
  const { remote, fixture, alice } = await begin(t)
  await fixture.send({ wishes: { ...noWishes, requireTls: true } }, {}, {})
  fixture.queue()
  await onlyReport(fixture, alice)
  assert.equal(remote.letters.length, 2)
})

test('success is reported when the next server will not, and left to it when it will', async (t) => {
  const { remote, fixture, alice } = await begin(t)
  fixture.queue()
  const recipients = [to('bob@hamburger.edu', 'SUCCESS,FAILURE'), to('carol@hamburger.edu')]
  await fixture.send({ recipients, envid: 'QQ1' })
  const report = await onlyReport(fixture, alice)
  assert.match(report, /^Original-Envelope-Id: QQ1\r$/m)
  assert.deepEqual(report.match(/^(?:Final-Recipient|Action|Status): .*$/gm), [
    ...['Final-Recipient: rfc822; bob@hamburger.edu', 'Action: relayed', 'Status: 2.0.0'],
  ])
  remote.script = { extensions: ['DSN'] }
  await fixture.send({ recipients })
  await until('it has arrived', () => remote.letters.length === 2)
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal((await fixture.inbox(alice)).length, 1)
  assert.ok(remote.lines.includes('RCPT TO:<bob@hamburger.edu> NOTIFY=SUCCESS,FAILURE'))
})

test('RET=FULL brings a short letter back whole, and of a long one its header', async (t) => {
  const { fixture, alice } = await begin(t, { rcpt: () => '550 5.1.1 No' })
  fixture.queue()
  await fixture.send({ ret: 'FULL' })
  const report = await onlyReport(fixture, alice)
  assert.match(
    report,
    /Content-Type: message\/rfc822\r\n\r\nReceived: [\s\S]*\r\n\r\nDo you like ketchup\?\r\n/,
  )
})

test('RET=FULL brings of a letter over the limit only its header', async (t) => {
  const { fixture, alice } = await begin(t, { rcpt: () => '550 5.1.1 No' })
  fixture.queue({ limits: { queueLifeMs: 1e9, delayWarningMs: 1e9, returnedMessageOctets: 50 } })
  await fixture.send({ ret: 'FULL' })
  const report = await onlyReport(fixture, alice)
  assert.match(report, /Content-Type: text\/rfc822-headers/)
  assert.ok(!report.includes('Do you like ketchup?'))
})

test('delivery at home is reported once, also when the process dies between the two', async (t) => {
  const { fixture, alice } = await begin(t)
  const bob = (await fixture.store.addAccount('bob@crepes.fr', null)).accountId
  let accepts = 0
  const store = tappedStore(fixture.store, (name) =>
    name === 'accept' && ++accepts > 1 ? Promise.reject(new StoreUnavailable('gone')) : null,
  )
  const dead = fixture.queue({ store, localDelivery: reportingHome(fixture) })
  const row = { domain: 'crepes.fr', recipients: [to('bob@crepes.fr', 'SUCCESS')] }
  await fixture.send(row)
  await until('it is filed and not reported', () => accepts > 1)
  const [left] = await fixture.rows()
  assert.equal(left!.recipients[0]!.state, 'reporting')
  const stopped = dead.stop(0)
  for (let n = 0; n < 40; n++) {
    fixture.clock.advance(5_000)
    await pause(1)
  }
  await stopped
  fixture.clock.advance(10 * minute)
  fixture.queue({ localDelivery: reportingHome(fixture) })
  const report = await onlyReport(fixture, alice)
  assert.match(report, /^Action: delivered\r$/m)
  assert.equal((await fixture.inbox(bob)).length, 1)
})

/** What `delivery` says of an account: it is the last server, so the report is ours. */
function reportingHome(fixture: Fixture) {
  return {
    async plan(letter: Parameters<ReturnType<typeof homeOf>['plan']>[0], now: number) {
      const plan = await homeOf(fixture).plan(letter, now)
      if (plan === null) return null
      const outcomes = new Map(
        [...plan.outcomes].map(([path, outcome]) => [path, { ...outcome, success: 'delivered' as const }]),
      )
      return { ...plan, outcomes }
    },
  }
}

function homeOf(fixture: Fixture) {
  return storeHome(fixture.store)
}

test('past the time its sender gave, a letter comes back without another attempt', async (t) => {
  const { remote, fixture, alice } = await begin(t, {
    rcpt: () => '450 4.2.1 Later',
    extensions: ['DELIVERBY'],
  })
  fixture.queue()
  const at = fixture.clock.now() + 30_000
  await fixture.send({ wishes: { ...noWishes, deliverBy: { at, mode: 'return', trace: false } } })
  await until('it was tried', () => remote.lines.some((line) => line.startsWith('RCPT')))
  assert.ok(remote.lines.includes('MAIL FROM:<alice@crepes.fr> BY=30;R'))
  await until('it waits', async () => (await fixture.rows())[0]?.leasedUntil === null)
  fixture.clock.advance(30_000)
  const report = await onlyReport(fixture, alice)
  assert.match(report, /^Status: 5\.4\.7\r$/m)
  assert.equal(remote.connections, 1)
})

test('RFC 2852 §4.1.4.2: a server without DELIVERBY is asked to tell of delays, and its taking the letter is told', async (t) => {
  const { remote, fixture, alice } = await begin(t, { extensions: ['DSN'] })
  fixture.queue()
  const deliverBy = { at: fixture.clock.now() + 30_000, mode: 'notify', trace: false } as const
  const names = ['bob', 'carol', 'dan', 'erin']
  const asked = [null, 'SUCCESS', 'NEVER', 'DELAY']
  const recipients = names.map((name, index) => to(`${name}@hamburger.edu`, asked[index]))
  await fixture.send({ recipients, wishes: { ...noWishes, deliverBy } })
  const report = await onlyReport(fixture, alice)
  assert.deepEqual(
    remote.lines.filter((line) => line.startsWith('RCPT')).map((line) => line.split(' ').at(-1)),
    ['NOTIFY=FAILURE,DELAY', 'NOTIFY=SUCCESS,DELAY', 'NOTIFY=NEVER', 'NOTIFY=DELAY'],
  )
  assert.deepEqual(report.match(/^Final-Recipient: .*$/gm)?.length, 3)
  assert.match(report, /^Action: relayed\r$/m)
  assert.match(report, /^Deliver-By-Date: .* \+0000\r$/m)
  // Past its time its sender has been told already.
  const past = { ...deliverBy, at: fixture.clock.now() - 1_000 }
  await fixture.send({ recipients: [to('fay@hamburger.edu')], wishes: { ...noWishes, deliverBy: past } })
  await until('it has arrived', () => remote.letters.length === 2)
  await until('the queue is empty', () => isEmpty(fixture))
  assert.ok(remote.lines.includes('RCPT TO:<fay@hamburger.edu>'))
  assert.equal((await fixture.inbox(alice)).length, 1)
})

test('what needs SMTPUTF8 goes only where it is taken', async (t) => {
  const { remote, fixture, alice } = await begin(t, { extensions: ['SMTPUTF8', '8BITMIME'] })
  fixture.queue()
  const letter = { smtpUtf8: true, eightBit: true, recipients: [to('björn@hamburger.edu')] }
  await fixture.send(letter)
  await until('it has arrived', () => remote.letters.length === 1)
  assert.ok(remote.lines.includes('MAIL FROM:<alice@crepes.fr> BODY=8BITMIME SMTPUTF8'))
  remote.script = { extensions: ['8BITMIME'] }
  await fixture.send(letter)
  const report = await onlyReport(fixture, alice)
  assert.match(report, /^Status: 5\.6\.7\r$/m)
  assert.match(report, /message\/global-delivery-status/)
})
