/** Mail that a filter refuses: its sender hears so, and whom it was meant for can look at a copy. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { defaultRejects, type RejectsConfig } from '../../src/base/rejects-config.ts'
import { silentLog } from '../../src/base/log.ts'
import { Rejects, refusedKeyword } from '../../src/delivery/rejects.ts'
import type { SmtpFilter } from '../../src/smtp/filter/filter.ts'
import { refuse } from '../../src/smtp/wire/reply.ts'
import { flagBits } from '../../src/store/store.ts'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'

/** Refuses with what the Subject says: code, status, text. */
function refuser(name: string): SmtpFilter {
  return {
    name,
    open() {
      let text = ''
      return {
        octets(chunk) {
          text += Buffer.from(chunk).toString('latin1')
          return undefined
        },
        end() {
          const [, code, status, words] = /Subject: (\d+) (\S+) (.*)\r/.exec(text) ?? []
          text = ''
          const fields = ['X-Found: much\r\n']
          return code === undefined ? { fields } : { fields, refusal: refuse(Number(code), status!, words!) }
        },
      }
    },
  }
}

async function setUp(t: TestContext, changes: Partial<Omit<RejectsConfig, 'mailbox'>> = {}) {
  let rejects: Rejects
  const harness = await openSmtpDoor({
    door: {
      filters: [refuser('judge'), refuser('scanner')],
      // The store it works on is opened with the door.
      rejects: {
        mailbox: 'Rejects',
        wants: (filter, octets) => rejects.wants(filter, octets),
        file: (message) => rejects.file(message),
      },
    },
  })
  t.after(() => harness.close())
  const { store } = harness
  rejects = new Rejects({
    ...{ store, clock: systemClock, log: silentLog, except: new Set(['judge of viruses']) },
    config: { ...defaultRejects, mailbox: 'Rejects', ...changes },
  })
  async function kept(address: string) {
    const { accountId } = (await store.findAccount(address))!
    const mailbox = await store.findMailbox(accountId, 'Rejects')
    if (mailbox === null) return []
    const index = await store.loadIndex(accountId, mailbox.mailboxId)
    const flags = [...index.flags.subarray(0, index.length)]
    const emails = await store.getEmails(accountId, [...index.emailIds.subarray(0, index.length)])
    const names = index.keywordNames
    index.release()
    return Promise.all(
      emails.map(async (email, row) => {
        const body = await store.readBody(email!.body, 0, email!.body.octets)
        const text = email!.prefix + Buffer.from(body).toString('latin1')
        return { text, flags: flags[row], names, journeyId: email!.journeyId }
      }),
    )
  }
  const send = (subject: string, reply: string, to = 'cooks@hamburger.edu') =>
    replay(
      harness.endpoint,
      `
      S: 220 (…)
      C: EHLO crepes.fr
      S: (…)
      C: MAIL FROM:<alice@crepes.fr>
      S: 250 <…>
      C: RCPT TO:<${to}>
      S: 250 <…>
      C: DATA
      S: 354 <…>
      C: From: alice@crepes.fr
      C: Subject: ${subject}
      C:
      C: Buy!
      C: .
      S: ${reply}
      C: QUIT
      S: 221 <…>`.replace('220 (…)', '(…)'),
    )
  return { harness, store, rejects, kept, send }
}

test('a copy lies in the mailbox of each recipient, read already, and says why; the sender hears 550', async (t) => {
  const { kept, send, harness } = await setUp(t)
  await send('550 5.7.1 This is spam', '550 5.7.1 This is spam')
  for (const address of ['bob@hamburger.edu', 'carol@hamburger.edu']) {
    const [copy, ...more] = await kept(address)
    assert.deepEqual(more, [])
    assert.match(
      copy!.text,
      /^Return-Path: <alice@crepes\.fr>\r\nX-Posthorn-Refused: 550 5\.7\.1 This is spam\r\nReceived: /,
    )
    assert.match(copy!.text, /\r\nX-Found: much\r\n[\s\S]*\r\n\r\nBuy!\r\n$/)
    assert.equal(copy!.flags, flagBits['\\Seen'])
    assert.deepEqual(copy!.names, [refusedKeyword])
    const journey = harness.journeys.filter(({ journeyId }) => journeyId === copy!.journeyId)
    const { facts } = journey.find((entry) => entry.facts !== undefined)!
    assert.deepEqual([facts!.state, facts!.accountIds!.length], ['refused', 2])
    assert.ok(journey.some(({ events }) => events.some(({ kind }) => kind === 'file')))
  }
  assert.deepEqual(await harness.inbox('bob@hamburger.edu'), [])
})

test('nothing is kept of what is refused for its size, its form or for now, nor of what is taken', async (t) => {
  const { kept, send, harness } = await setUp(t, { messageOctets: 200 })
  await send('552 5.3.4 Too large', '552 5.3.4 Too large')
  await send('451 4.7.1 Later', '451 4.7.1 Later')
  await send('554 5.4.6 It loops', '554 5.4.6 It loops')
  await send(`550 5.7.1 ${'long '.repeat(40)}`, '550 5.7.1 <…>')
  await send('Good morning', '250 <…>', 'bob@hamburger.edu')
  assert.deepEqual(await kept('bob@hamburger.edu'), [])
  assert.equal((await harness.inbox('bob@hamburger.edu')).length, 1)
})

test('who is full gets no copy, and the refusal stands', async (t) => {
  const { kept, send, store } = await setUp(t)
  await store.setQuota('bob@hamburger.edu', { octets: null, messages: 1 })
  await send('550 5.7.1 One', '550 5.7.1 One')
  await send('550 5.7.1 Two', '550 5.7.1 Two', 'carol@hamburger.edu')
  assert.equal((await kept('bob@hamburger.edu')).length, 1)
  await send('550 5.7.1 Three', '550 5.7.1 Three', 'carol@hamburger.edu')
  assert.equal((await kept('carol@hamburger.edu')).length, 3)
})

test('the newest stay, as many as there is room for; what a person put there is left alone', async (t) => {
  const { kept, send, store } = await setUp(t, { messages: 2 })
  const { accountId } = (await store.findAccount('bob@hamburger.edu'))!
  await send('Own', '250 <…>', 'bob@hamburger.edu')
  const target = await store.createMailbox(accountId, 'Rejects')
  const inbox = (await store.findMailbox(accountId, 'INBOX'))!
  await store.move(accountId, inbox.mailboxId, [1], target.mailboxId)
  for (const word of ['One', 'Two', 'Three']) {
    await send(`550 5.7.1 ${word}`, `550 5.7.1 ${word}`, 'bob@hamburger.edu')
  }
  const subjects = (await kept('bob@hamburger.edu')).map(({ text }) => /Subject: (.*)\r/.exec(text)![1])
  assert.deepEqual(subjects, ['Own', '550 5.7.1 Two', '550 5.7.1 Three'])
})

test('what is too old goes, also where nothing more is refused', async (t) => {
  const { kept, send, store } = await setUp(t)
  await send('550 5.7.1 Old', '550 5.7.1 Old')
  assert.equal((await kept('bob@hamburger.edu')).length, 1)
  const later = new Rejects({
    ...{ store, log: silentLog, except: new Set<string>() },
    clock: { ...systemClock, now: () => systemClock.now() + 31 * 86_400_000 },
    config: { ...defaultRejects, mailbox: 'Rejects' },
  })
  await later.sweep()
  assert.deepEqual(await kept('bob@hamburger.edu'), [])
})

test('refusals of some filters leave no copy', async (t) => {
  const { kept, send, store } = await setUp(t)
  const none = new Rejects({
    ...{ store, clock: systemClock, log: silentLog, except: new Set(['judge']) },
    config: { ...defaultRejects, mailbox: 'Rejects' },
  })
  assert.deepEqual([none.wants('judge', 1), none.wants('scanner', 1)], [false, true])
  await send('Good morning', '250 <…>')
  assert.deepEqual(await kept('bob@hamburger.edu'), [])
})
