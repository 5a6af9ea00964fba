/** Aliases that lead elsewhere: under which reverse-path letters go on, and how bounces find back. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { rewrite } from '../../src/delivery/srs.ts'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

const key = Buffer.alloc(32, 7)
let harness: SmtpHarness
before(async () => {
  harness = await openSmtpDoor({
    door: { forwarding: { key: async () => key, clock: systemClock } },
    limits: { errorsPerSession: 1_000 },
  })
  await harness.store.addAlias('friends@hamburger.edu', [
    'bob@hamburger.edu',
    'dan@elsewhere.example',
    'eve@crepes.fr',
  ])
})
after(() => harness.close())

const hello = `
  S: 220 mail.hamburger.edu ESMTP
  C: EHLO crepes.fr
  S: (…)`

async function queued() {
  const entries = await harness.store.listQueue(100)
  for (const { queueId } of entries) await harness.store.dropEntry(queueId)
  return entries.map(({ reversePath, recipients }) => ({
    reversePath,
    to: recipients.map(({ forwardPath }) => forwardPath),
  }))
}

function letterFrom(reversePath: string, forwardPath: string): string {
  return `${hello}
    C: MAIL FROM:<${reversePath}>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<${forwardPath}>
    S: 250 2.1.5 Recipient ok
    C: DATA
    S: 354 <…>
    C: Subject: x
    C:
    C: .
    S: 250 2.0.0 <…>
    C: QUIT
    S: 221 <…>`
}

test('a forwarded letter goes on under an address of ours; the copy that stays shows who sent it', async () => {
  await replay(harness.endpoint, letterFrom('alice@crepes.fr', 'friends@hamburger.edu'))
  const entries = await queued()
  assert.deepEqual(entries.map(({ to }) => to[0]).sort(), ['dan@elsewhere.example', 'eve@crepes.fr'])
  for (const { reversePath } of entries)
    assert.match(reversePath, /^SRS0=.*=crepes\.fr=alice@hamburger\.edu$/)
  const [copy = ''] = await harness.inbox('bob@hamburger.edu')
  assert.match(copy, /^Return-Path: <alice@crepes\.fr>\r\n/)

  await replay(harness.endpoint, letterFrom('', entries[0]!.reversePath))
  assert.deepEqual(await queued(), [{ reversePath: '', to: ['alice@crepes.fr'] }])
})

test('a sender of ours, and a report, stay as they are', async () => {
  await replay(harness.endpoint, letterFrom('carol@hamburger.edu', 'friends@hamburger.edu'))
  for (const { reversePath } of await queued()) assert.equal(reversePath, 'carol@hamburger.edu')
  await replay(harness.endpoint, letterFrom('', 'friends@hamburger.edu'))
  for (const { reversePath } of await queued()) assert.equal(reversePath, '')
})

test('a rewritten address takes reports only, as long as it is valid, and none that was tampered with', async () => {
  const now = systemClock.now()
  const good = rewrite(key, 'alice@crepes.fr', 'hamburger.edu', now)!
  const old = rewrite(key, 'alice@crepes.fr', 'hamburger.edu', now - 23 * 86_400_000)!
  const foreign = rewrite(Buffer.alloc(32, 8), 'alice@crepes.fr', 'hamburger.edu', now)!
  const victim = good.replace('=alice@', '=victim@')
  await replay(
    harness.endpoint,
    `${hello}
    C: MAIL FROM:<spammer@crepes.fr>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<${good}>
    S: 550 5.1.1 No such user here
    C: RSET
    S: 250 <…>
    C: MAIL FROM:<>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<${old}>
    S: 550 5.1.1 No such user here
    C: RCPT TO:<${foreign}>
    S: 550 5.1.1 No such user here
    C: RCPT TO:<${victim}>
    S: 550 5.1.1 No such user here
    C: RCPT TO:<${good.replace('@hamburger.edu', '@elsewhere.example')}>
    S: 550 5.7.1 Relaying denied
    C: RCPT TO:<${good}>
    S: 250 2.1.5 Recipient ok
    C: QUIT
    S: 221 <…>`,
  )
})

test('an account of that name is itself', async () => {
  await harness.store.addAccount('srs0=x@hamburger.edu', null)
  await replay(harness.endpoint, letterFrom('alice@crepes.fr', 'SRS0=x@hamburger.edu'))
  assert.equal((await harness.inbox('srs0=x@hamburger.edu')).length, 1)
})
