/** What a sender hears who is not genuine, and what a reader sees of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChecksConfig, defaultChecks } from '../../src/base/checks-config.ts'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { mapResolver, type RecordMap } from '../../src/dns/map-resolver.ts'
import { createSenderJudge } from '../../src/smtp/guard/judge-sender.ts'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

const txt = (text: string) => ({ TXT: [text] })

async function withJudge(
  dns: RecordMap,
  work: (door: SmtpHarness) => Promise<void>,
  policy: Partial<ChecksConfig> = {},
): Promise<void> {
  const judge = createSenderJudge({
    ...{
      resolver: mapResolver(dns),
      hostname: 'mail.hamburger.edu',
      policy: { ...defaultChecks, ...policy },
    },
    ...{ limits: defaultLimits, clock: systemClock, log: silentLog },
  })
  const door = await openSmtpDoor({ door: { filters: [judge] } })
  try {
    await work(door)
  } finally {
    await door.close()
  }
}

const upToMail = `
  S: 220 mail.hamburger.edu ESMTP
  C: HELO crepes.fr
  S: 250 mail.hamburger.edu
  C: MAIL FROM:<alice@crepes.fr>`
const letter = `${upToMail}
  S: 250 2.1.0 Originator ok
  C: RCPT TO:<bob@hamburger.edu>
  S: 250 2.1.5 Recipient ok
  C: DATA
  S: 354 Start mail input; end with <CRLF>.<CRLF>
  C: Authentication-Results: mail.hamburger.edu; dmarc=pass header.from=crepes.fr
  C: From: alice@crepes.fr
  C: Subject: Ketchup
  C:
  C: Do you like ketchup?
  C: .`
const end = `
  C: QUIT
  S: 221 2.0.0 <…>
  S: (closed)`

test('p=reject is a 550 that names the domain, and nothing is kept', () =>
  withJudge(
    { 'crepes.fr': txt('v=spf1 -all'), '_dmarc.crepes.fr': txt('v=DMARC1; p=reject') },
    async (door) => {
      await replay(
        door.endpoint,
        `${letter}
  S: 550 5.7.1 Refused by the DMARC policy of crepes.fr (p=reject): neither DKIM nor SPF passed for it${end}`,
      )
      assert.deepEqual(await door.inbox('bob@hamburger.edu'), [])
    },
  ))

test('a policy whose evidence is missing for now is a 451', () =>
  withJudge({ 'crepes.fr': 'servfail', '_dmarc.crepes.fr': txt('v=DMARC1; p=reject') }, (door) =>
    replay(
      door.endpoint,
      `${letter}
  S: 451 4.7.1 DNS does not answer for crepes.fr, whose DMARC policy is reject: try again later${end}`,
    ),
  ))

test('a letter that is taken has our findings above it, and not what it brought along in our name', () =>
  withJudge(
    { 'crepes.fr': txt('v=spf1 ip4:127.0.0.1 -all'), '_dmarc.crepes.fr': txt('v=DMARC1; p=reject') },
    async (door) => {
      await replay(door.endpoint, `${letter}\n  S: 250 2.0.0 <…>${end}`)
      const [message = ''] = await door.inbox('bob@hamburger.edu')
      const fields = message.match(/^Authentication-Results:(?:.*\r\n)(?: .*\r\n)*/gm) ?? []
      assert.equal(fields.length, 1)
      assert.match(
        fields[0]!,
        / spf=pass smtp\.mailfrom=alice@crepes\.fr;\r\n dkim=none;\r\n dmarc=pass header\.from=crepes\.fr/,
      )
    },
  ))

test('quarantine is taken, and not into INBOX', () =>
  withJudge(
    { 'crepes.fr': txt('v=spf1 -all'), '_dmarc.crepes.fr': txt('v=DMARC1; p=quarantine') },
    async (door) => {
      await replay(door.endpoint, `${letter}\n  S: 250 2.0.0 <…>${end}`)
      assert.deepEqual(await door.inbox('bob@hamburger.edu'), [])
    },
  ))

test('with spf = "refuse" a fail is refused at MAIL', () =>
  withJudge(
    { 'crepes.fr': txt('v=spf1 mx -all exp=why.crepes.fr'), 'why.crepes.fr': txt('Use our own servers') },
    (door) =>
      replay(
        door.endpoint,
        `${upToMail}
  S: 550 5.7.23 127.0.0.1 may not send mail of crepes.fr (-all); the domain says: Use our own servers${end}`,
      ),
    { spf: 'refuse' },
  ))

const wantsSuccess = (mail: string, more = '') => `
  S: 220 mail.hamburger.edu ESMTP
  C: EHLO crepes.fr
  S: 250-mail.hamburger.edu
  S: (…)
  C: MAIL FROM:<alice@crepes.fr>${mail}
  S: 250 2.1.0 Originator ok
  C: RCPT TO:<bob@hamburger.edu> NOTIFY=${more}SUCCESS
  S: 250 2.1.5 Recipient ok
  C: RCPT TO:<away@hamburger.edu> NOTIFY=SUCCESS,DELAY
  S: 250 2.1.5 Recipient ok
  C: DATA
  S: 354 <…>
  C: From: alice@crepes.fr
  C:
  C: .
  S: 250 2.0.0 <…>
  C: QUIT
  S: 221 2.0.0 <…>
  S: (closed)`

/** What waits in the queue: the path and what is to be told about it. */
async function queued({ store }: SmtpHarness): Promise<string[]> {
  const entries = await store.listQueue(10)
  return entries.flatMap(({ recipients, wishes }) =>
    recipients.map(
      ({ forwardPath, notify }) =>
        `${forwardPath} ${notify}${wishes.deliverBy === null ? '' : ` by ${wishes.deliverBy.mode} ${wishes.deliverBy.trace}`}`,
    ),
  )
}

test('success is confirmed to a sender whom SPF proves', () =>
  withJudge({ 'crepes.fr': txt('v=spf1 ip4:127.0.0.1 -all') }, async (door) => {
    await door.store.addAlias('away@hamburger.edu', ['bob@elsewhere.example'])
    await replay(door.endpoint, wantsSuccess(' BY=600;NT', 'FAILURE,'))
    assert.deepEqual(await door.inbox('bob@hamburger.edu'), [], 'the queue files it, and reports')
    assert.deepEqual((await queued(door)).sort(), [
      'away@hamburger.edu SUCCESS,DELAY by notify true',
      'bob@hamburger.edu FAILURE,SUCCESS by notify true',
    ])
  }))

test('a sender whom nothing proves is asked nothing of the kind: it may be anybody whose name was taken', () =>
  withJudge({ 'crepes.fr': txt('v=spf1 ?all') }, async (door) => {
    await door.store.addAlias('away@hamburger.edu', ['bob@elsewhere.example'])
    await replay(door.endpoint, wantsSuccess(' BY=600;NT'))
    assert.equal((await door.inbox('bob@hamburger.edu')).length, 1)
    assert.deepEqual(await queued(door), ['bob@elsewhere.example DELAY'])
    await replay(door.endpoint, wantsSuccess(' BY=600;RT'))
    assert.deepEqual((await queued(door)).sort().at(-1), 'bob@elsewhere.example DELAY by return false')
  }))
