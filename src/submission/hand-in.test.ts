import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { defaultLimits } from '../base/limits.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import type { JourneyEntry } from '../journey/event.ts'
import { Refusal } from '../smtp/wire/reply.ts'
import { openStore } from '../store/open.ts'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { handIn } from './hand-in.ts'
import { HandInDesk, type HandInOrder } from './hand-in-desk.ts'

/** hamburger.edu with Bob; carol@ is full; team@ leads to Bob and elsewhere. */
async function setUp(t: TestContext) {
  const clock = new FakeClock()
  const random = seededRandom(1)
  const limits = { ...defaultLimits, submissionOctets: 5_000, recipients: 10 }
  const store = await openStore({
    folder: temporaryFolder(t),
    limits,
    surroundings: { clock, random, log: silentLog },
  })
  t.after(() => store.close())
  await store.addDomain('hamburger.edu')
  const bob = await store.addAccount('bob@hamburger.edu', null)
  await store.addAccount('carol@hamburger.edu', null)
  await store.setQuota('carol@hamburger.edu', { octets: 0, messages: null })
  await store.addAlias('team@hamburger.edu', ['bob@hamburger.edu', 'alice@crepes.fr'])
  const journeys: JourneyEntry[] = []
  const signed: { text: string; domain: string; fields: readonly string[] }[] = []
  const world = {
    ...{ store, clock, random, limits, hostname: 'mail.hamburger.edu', forwarding: null },
    journeys: { append: (entry: JourneyEntry) => void journeys.push(entry) },
    signer: {
      open() {
        let text = ''
        return {
          push: (octets: Uint8Array) => void (text += Buffer.from(octets).toString('latin1')),
          async finish(domain: string, fields: readonly string[]) {
            signed.push({ text, domain, fields })
            return ['DKIM-Signature: v=1; d=hamburger.edu; s=one; a=rsa-sha256\r\n']
          },
        }
      },
    },
  }
  async function inbox(): Promise<string[]> {
    const mailbox = await store.findMailbox(bob.accountId, 'INBOX')
    const index = await store.loadIndex(bob.accountId, mailbox!.mailboxId)
    const emails = await store.getEmails(bob.accountId, [...index.emailIds.subarray(0, index.length)])
    index.release()
    return Promise.all(
      emails.map(async (email) => {
        const body = await store.readBody(email!.body, 0, email!.body.octets)
        return email!.prefix + Buffer.from(body).toString('latin1')
      }),
    )
  }
  const desk = new HandInDesk({ ...world, defaultDomain: () => 'hamburger.edu' })
  async function send(text: string, order: Partial<HandInOrder>) {
    const id = desk.open()
    await desk.push(id, Buffer.from(text, 'latin1'))
    return desk.finish(id, {
      ...{ sender: 'root', fullName: null, recipients: [], fromHeader: false },
      ...{ notify: null, ret: null, envid: null, client: 'sendmail' },
      ...order,
    })
  }
  return { world, store, clock, journeys, signed, inbox, desk, send }
}

const letter = (...fields: string[]): string => [...fields, '', 'Hello', ''].join('\r\n')
const isProblem = (problem: string) => (error: unknown) => (error as { problem: string }).problem === problem

test('what the machine hands in is filed and queued in one step, completed and signed', async (t) => {
  const { world, store, inbox, journeys, signed } = await setUp(t)
  const octets = Buffer.from(letter('From: <reports@hamburger.edu>', 'Bcc: eve@crepes.fr', 'Subject: Day'))
  const envelope = { reversePath: 'reports@hamburger.edu', client: 'report', wishes: { tlsOptional: true } }
  const done = await handIn(world, octets, { ...envelope, recipients: ['team@hamburger.edu'] })
  const [text = ''] = await inbox()
  assert.match(text, /^Return-Path: <reports@hamburger\.edu>\r\nReceived: by mail\.hamburger\.edu id /)
  assert.match(text, /\r\nDKIM-Signature: .*\r\nDate: .*\r\nMessage-ID: <.*@mail\.hamburger\.edu>\r\nFrom: /s)
  assert.doesNotMatch(text, /Bcc/)
  const [entry] = await store.listQueue(10)
  assert.deepEqual(
    [entry!.reversePath, entry!.domain, entry!.accountId, entry!.wishes.tlsOptional],
    ['reports@hamburger.edu', 'crepes.fr', 0, true],
  )
  assert.equal(signed[0]!.domain, 'hamburger.edu')
  assert.doesNotMatch(signed[0]!.text, /Bcc/)
  assert.match(text, new RegExp(done.messageId))
  const [journey] = journeys
  assert.equal(journey!.journeyId, done.journeyId)
  assert.deepEqual(
    journey!.events.map(({ kind }) => kind),
    ['submit', 'sign.dkim', 'queue.in', 'file'],
  )
  assert.deepEqual(journey!.facts!.recipients, ['team@hamburger.edu'])
})

test('a message that cannot be taken is refused, and nothing of it is kept', async (t) => {
  const { world, store, inbox } = await setUp(t)
  const octets = Buffer.from(letter('From: <a@hamburger.edu>', 'From: <b@hamburger.edu>'))
  const envelope = { reversePath: '', recipients: ['bob@hamburger.edu', 'a@crepes.fr'], client: 'test' }
  await assert.rejects(handIn(world, octets, envelope), Refusal)
  await assert.rejects(handIn(world, Buffer.from('a\rb\r\n'), envelope), /550 Message has a CR/)
  assert.deepEqual([await inbox(), await store.listQueue(10)], [[], []])
})

test('names without a domain belong to the first one, and the author is who calls', async (t) => {
  const { send, inbox, signed } = await setUp(t)
  await send(letter('Subject: cron'), { fullName: 'Cron "the" Daemon', recipients: ['bob'] })
  const [text = ''] = await inbox()
  assert.match(text, /^Return-Path: <root@hamburger\.edu>/)
  assert.match(text, /\r\nFrom: "Cron \\"the\\" Daemon" <root@hamburger\.edu>\r\nSubject: cron\r\n/)
  assert.equal(signed[0]!.domain, 'hamburger.edu')
})

test('-t: whom To, Cc and Bcc name, groups and names without a domain too, and Bcc is gone', async (t) => {
  const { send, store, inbox } = await setUp(t)
  const text = letter(
    'From: root',
    'To: Team: Bob <bob>, "A. Lice" <Alice@Crepes.FR>;, undisclosed:;',
    'Cc: <dan@crepes.fr>',
    'Bcc: eve@crepes.fr,\r\n  Dan <dan@crepes.fr>',
  )
  const done = await send(text, { fromHeader: true, recipients: ['x@y.example'] })
  const expected = ['x@y.example', 'bob@hamburger.edu', 'Alice@crepes.fr', 'dan@crepes.fr', 'eve@crepes.fr']
  assert.deepEqual(done.recipients, expected)
  const queue = await store.listQueue(10)
  assert.deepEqual(queue.map(({ domain }) => domain).sort(), ['crepes.fr', 'y.example'])
  assert.doesNotMatch((await inbox())[0]!, /Bcc|eve/)
})

test('-t: of a letter that is sent again only the Resent fields count', async (t) => {
  const { send } = await setUp(t)
  const again = letter(
    'To: old@crepes.fr',
    'Bcc: hidden@crepes.fr',
    'Resent-To: bob',
    'Resent-Bcc: eve@crepes.fr',
  )
  assert.deepEqual((await send(again, { fromHeader: true })).recipients, [
    'bob@hamburger.edu',
    'eve@crepes.fr',
  ])
})

test('who does not exist is named and the others get it; who is full waits in the queue', async (t) => {
  const { send, store, inbox } = await setUp(t)
  const done = await send(letter('Subject: x'), { recipients: ['bob, nobody, carol'] })
  assert.deepEqual(done.refused, [{ recipient: 'nobody@hamburger.edu', text: 'No such user here' }])
  assert.equal((await inbox()).length, 1)
  assert.deepEqual(
    (await store.listQueue(10)).flatMap(({ recipients }) => recipients.map(({ forwardPath }) => forwardPath)),
    ['carol@hamburger.edu'],
  )
  assert.equal((await send(letter('Subject: x'), { recipients: ['nobody'] })).accepted, null)
})

test('an order that makes no sense is refused, and the letter is over', async (t) => {
  const { send, desk, clock } = await setUp(t)
  const text = letter('Subject: x')
  await assert.rejects(send(text, {}), isProblem('no-recipients'))
  await assert.rejects(send(text, { fromHeader: true }), isProblem('no-recipients'))
  await assert.rejects(
    send(text, { recipients: ['bob'], sender: 'a@crepes.fr, b@crepes.fr' }),
    isProblem('bad-sender'),
  )
  await assert.rejects(send(text, { recipients: ['a@-bad-.example'] }), isProblem('bad-recipient'))
  const many = Array.from({ length: 11 }, (_, n) => `u${n}@crepes.fr`).join(',')
  await assert.rejects(send(text, { recipients: [many] }), isProblem('too-many'))
  const id = desk.open()
  await assert.rejects(desk.push(id, Buffer.alloc(5_001)), isProblem('too-long'))
  await assert.rejects(desk.push(id, Buffer.alloc(1)), isProblem('gone'))
  const forgotten = desk.open()
  clock.advance(10 * 60_000)
  await assert.rejects(desk.push(forgotten, Buffer.alloc(1)), isProblem('gone'))
  const open = Array.from({ length: 50 }, () => desk.open())
  assert.throws(() => desk.open(), isProblem('busy'))
  for (const one of open) desk.close(one)
  desk.close(desk.open())
})

test('the null sender stays the null sender, and a letter without a header gets one', async (t) => {
  const { send, inbox } = await setUp(t)
  await send('Hello\r\n', { sender: '<>', recipients: ['bob'] })
  const [text = ''] = await inbox()
  assert.match(text, /^Return-Path: <>\r\n/)
  assert.match(text, /\r\nFrom: postmaster@hamburger\.edu\r\n\r\nHello\r\n$/)
})
