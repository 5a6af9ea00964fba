/** Mail for domains of others that this server is a backup MX for, and ETRN (RFC 1985), by which they ask for it. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { defaultLimits } from '../../src/base/limits.ts'
import { NameTaken } from '../../src/store/errors.ts'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

let harness: SmtpHarness
let asking = true
before(async () => {
  harness = await openSmtpDoor({ door: { mayEtrn: () => asking } })
  await harness.store.backupDomains.add({ domain: 'crepes.example', primary: null })
})
after(() => harness.close())

const hello = `
  S: 220 mail.hamburger.edu ESMTP
  C: EHLO client.example
  S: (…)`

test('mail for a backup domain is kept for whoever it is, for longer than other mail; other domains are not', async () => {
  await replay(
    harness.endpoint,
    `${hello}
    C: MAIL FROM:<dan@elsewhere.example>
    S: 250 <…>
    C: RCPT TO:<anybody@Crepes.example>
    S: 250 2.1.5 Recipient ok
    C: RCPT TO:<anybody@sub.crepes.example>
    S: 550 5.7.1 Relaying denied
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 Recipient ok
    C: DATA
    S: 354 <…>
    C: Subject: x
    C:
    C: .
    S: 250 <…>
    C: QUIT
    S: 221 <…>`,
  )
  const [entry, ...more] = await harness.store.listQueue(10)
  assert.deepEqual(more, [])
  assert.deepEqual(
    [entry!.domain, entry!.reversePath, entry!.recipients.map(({ forwardPath }) => forwardPath)],
    ['crepes.example', 'dan@elsewhere.example', ['anybody@crepes.example']],
  )
  assert.equal(entry!.expiresAt - entry!.createdAt > defaultLimits.backupLifeMs - 60_000, true)
  assert.equal((await harness.inbox('bob@hamburger.edu')).length, 1)
})

test('ETRN starts what waits for a backup domain', async () => {
  const { store } = harness
  const [entry] = await store.lease(Date.now() + 1_000, 1_000, 1)
  const waiting = { accountId: entry!.accountId, queueId: entry!.queueId, recipients: [] }
  await store.settle([{ ...waiting, nextAttemptAt: Date.now() + 3_600_000 }])
  assert.ok((await store.nextDueAt())! > Date.now() + 3_000_000)
  await replay(
    harness.endpoint,
    `
    S: 220 mail.hamburger.edu ESMTP
    C: ETRN crepes.example
    S: 503 5.5.1 Say EHLO or HELO first
    C: EHLO client.example
    S: (…)
    C: ETRN
    S: 501 5.5.4 Cannot read ETRN: expected a domain
    C: ETRN @crepes.example
    S: 501 5.5.4 Cannot read ETRN: expected a domain
    C: ETRN hamburger.edu
    S: 459 4.7.1 Mail for that domain is not kept here
    C: ETRN Crepes.EXAMPLE
    S: 253 2.0.0 1 pending messages for crepes.example started
    C: MAIL FROM:<dan@elsewhere.example>
    S: 250 <…>
    C: ETRN crepes.example
    S: 503 5.5.1 Bad sequence of commands
    C: QUIT
    S: 221 <…>`,
  )
  assert.ok((await store.nextDueAt())! <= Date.now())
  await store.dropEntry(entry!.queueId)
  await replay(
    harness.endpoint,
    `${hello}
    C: ETRN crepes.example
    S: 251 2.0.0 No messages waiting for crepes.example
    C: QUIT
    S: 221 <…>`,
  )
})

test('ETRN is announced to those who may, and nothing to the others', async () => {
  const announced = async () => {
    const socket = connect(harness.endpoint.port, harness.endpoint.address)
    socket.write('EHLO client.example\r\nQUIT\r\n')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    assert.match(text, /^221 /m)
    return /^250[ -]ETRN\r$/m.test(text)
  }
  assert.equal(await announced(), true)
  asking = false
  try {
    assert.equal(await announced(), false)
    await replay(
      harness.endpoint,
      `${hello}
      C: ETRN crepes.example
      S: 459 4.7.0 You are not allowed to ask for mail here
      C: QUIT
      S: 221 <…>`,
    )
  } finally {
    asking = true
  }
})

test('a domain is ours or of another, never both', async () => {
  const { store } = harness
  await assert.rejects(store.backupDomains.add({ domain: 'hamburger.edu', primary: null }), NameTaken)
  await assert.rejects(store.backupDomains.add({ domain: 'Crepes.example', primary: null }), NameTaken)
  await assert.rejects(store.addDomain('crepes.example'), NameTaken)
  await store.backupDomains.add({ domain: 'b.example', primary: 'mail.b.example' })
  assert.deepEqual(await store.backupDomains.list(), [
    { domain: 'b.example', primary: 'mail.b.example' },
    { domain: 'crepes.example', primary: null },
  ])
  assert.deepEqual(await store.backupDomains.find('B.example'), {
    domain: 'b.example',
    primary: 'mail.b.example',
  })
  assert.equal(await store.backupDomains.remove('b.example'), true)
  assert.equal(await store.backupDomains.remove('b.example'), false)
  assert.equal(await store.backupDomains.find('b.example'), null)
})
