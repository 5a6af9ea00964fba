/** The same conversations over a store on disk and real password hashes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { createAuthenticator } from '../../src/auth/create-authenticator.ts'
import { hashPassword } from '../../src/auth/password-hash.ts'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { scanMessage } from '../../src/message/scan.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { replay, speakTo } from '../harness/replay.ts'
import { testFolder } from '../store/folder.ts'
import { expand, letterOf, openWorld, type World } from './pop3-world.ts'

const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }

async function deliver(store: Store, accountId: number, text: string, prefix = ''): Promise<void> {
  const octets = Buffer.from(text, 'latin1')
  const sink = store.openBody()
  await sink.write(octets)
  const filing = {
    accountId,
    mailboxId: null,
    prefix,
    flags: 0,
    keywords: [],
    internalDate: 0,
    journeyId: 'journey',
  }
  const item = { body: await sink.finish(), scan: scanMessage(octets), filings: [filing], queue: [] }
  const [result] = await store.accept([item])
  if (result instanceof Error) throw result
}

/** hamburger.edu on disk, with bob, and alice who is nobody's business. */
async function openHamburger(t: TestContext): Promise<{ store: Store; world: World; bob: number }> {
  const store = await openStore({ folder: testFolder(t), limits: defaultLimits, surroundings })
  await store.addDomain('hamburger.edu')
  const passwordHash = await hashPassword('hungry')
  const { accountId: bob } = await store.addAccount('bob@hamburger.edu', passwordHash)
  const { accountId: alice } = await store.addAccount('alice@hamburger.edu', passwordHash)
  await deliver(store, alice, letterOf(300, 'Not for Bob'))
  const authenticator = createAuthenticator({ store, limits: defaultLimits, ...surroundings })
  const world = await openWorld({ store, authenticator, clock: systemClock })
  return { store, world, bob }
}

test('L12 over the store on disk: what QUIT removed stays removed', async (t) => {
  const { store, world, bob } = await openHamburger(t)
  const letters = [letterOf(498, 'Ketchup'), letterOf(912, 'Pickles')]
  for (const letter of letters) await deliver(store, bob, letter)
  const asLetters = letters.map((body, index) => ({
    uid: index + 1,
    prefix: '',
    body: Buffer.from(body),
    journeyId: null,
  }))
  const transcript = `
    S: +OK POP3 server ready
    C: user bob
    S: +OK
    C: pass hungry
    S: +OK user successfully logged on
    C: list
    S: +OK 2 messages (1410 octets)
    S: 1 498
    S: 2 912
    S: .
    C: retr 1
    S: +OK 498 octets
    S: <message 1 contents>
    S: .
    C: dele 1
    S: +OK message 1 deleted
    C: retr 2
    S: +OK 912 octets
    S: <message 2 contents>
    S: .
    C: dele 2
    S: +OK message 2 deleted
    C: quit
    S: +OK POP3 server signing off
    S: (closed)
  `
  await replay(world.endpoint, expand(transcript, asLetters))
  const inbox = await store.findMailbox(bob, 'INBOX')
  assert.equal(inbox!.total, 0)
  assert.deepEqual(
    world.journeys.map((entry) => entry.events[0]!.data['deleted']),
    [true, true],
  )
  await deliver(store, bob, letterOf(200, 'Later'), 'Received: here\r\n')
  await replay(
    world.endpoint,
    `
    S: +OK POP3 server ready
    C: USER bob@hamburger.edu
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
    C: UIDL 1
    S: +OK 1 ${inbox!.uidValidity}.3
    C: STAT
    S: +OK 1 216
    C: QUIT
    S: +OK POP3 server signing off
  `,
  )
  await world[Symbol.asyncDispose]()
  await store.close()
})

test('A message of five megabytes comes whole, and one that IMAP removed meanwhile is gone', async (t) => {
  const { store, world, bob } = await openHamburger(t)
  const large = letterOf(5_000_000, 'Large')
    .replace(/\r\nDo /g, '\r\n.Do')
    .replace(/ you like/g, 'you like')
  const text = `${large}.\r\n..\r\n`
  await deliver(store, bob, text, 'Received: here\r\n')
  await deliver(store, bob, letterOf(200, 'Gone'))
  const speaker = await speakTo(world.endpoint)
  speaker.send('USER bob\r\nPASS hungry\r\n')
  for (const line of ['+OK POP3 server ready', '+OK', '+OK user successfully logged on'])
    await speaker.expect(line)
  const inbox = await store.findMailbox(bob, 'INBOX')
  const index = await store.loadIndex(bob, inbox!.mailboxId)
  const uid = index.uids[1]!
  index.release()
  await store.expunge(bob, inbox!.mailboxId, [uid])
  speaker.send('RETR 2\r\nLIST 2\r\n')
  await speaker.expect('-ERR message gone')
  await speaker.expect('+OK 2 200')
  let received = ''
  speaker.socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  speaker.send('RETR 1\r\nQUIT\r\n')
  await once(speaker.socket, 'end')
  const start = received.indexOf('\r\n') + 2
  const end = received.indexOf('\r\n.\r\n') + 2
  assert.equal(received.slice(start, end).replace(/^\./gm, ''), `Received: here\r\n${text}`)
  assert.equal(received.slice(end), '.\r\n+OK POP3 server signing off\r\n')
  speaker.socket.destroy()
  await world[Symbol.asyncDispose]()
  await store.close()
})
