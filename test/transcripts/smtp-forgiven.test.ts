/** What is forgiven in a command, and what is not: docs/decisions/001, 276 and 277. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

let harness: SmtpHarness
let submission: SmtpHarness
const play = (transcript: string): Promise<void> => replay(harness.endpoint, transcript)

before(async () => {
  harness = await openSmtpDoor()
  submission = await openSmtpDoor({ door: { role: 'submission' } })
})
after(async () => {
  await harness.close()
  await submission.close()
})

const hello = `
  S: 220 mail.hamburger.edu ESMTP
  C: EHLO crepes.fr
  S: (…)`

test('RFC 5321 §4.1.1: white space before the CRLF is forgiven after every command', async () => {
  const lines = ['MAIL FROM:<alice@crepes.fr> \t', 'RCPT TO:<bob@hamburger.edu>\t', 'DATA  ']
  await play(`
    S: 220 mail.hamburger.edu ESMTP
    C: NOOP\t
    S: 250 2.0.0 Ok
    C: EHLO crepes.fr \t
    S: (…)
    C: RSET \t
    S: 250 2.0.0 Reset
    C: ${lines[0]}
    S: 250 2.1.0 Originator ok
    C: ${lines[1]}
    S: 250 2.1.5 Recipient ok
    C: ${lines[2]}
    S: 354 <…>
    C: Subject: Blanks
    C:
    C: .
    S: 250 2.0.0 <…>
    C: QUIT\t
    S: 221 2.0.0 mail.hamburger.edu closing connection
    S: (closed)
  `)
  assert.match((await harness.inbox('bob@hamburger.edu')).at(-1)!, /\r\nSubject: Blanks\r\n\r\n$/)
})

test('further spaces behind a verb are forgiven, as the one behind the colon is', () =>
  play(`${hello}
    C: MAIL  FROM: <alice@crepes.fr>  SIZE=100
    S: 250 2.1.0 Originator ok
    C: RCPT   TO:<bob@hamburger.edu>
    S: 250 2.1.5 Recipient ok
    C: RCPT TO:bob@hamburger.edu
    S: 501 5.1.3 Cannot read RCPT: put the address between < and >
  `))

test('RFC 5321 §4.1.1: RSET, DATA and QUIT with an argument are refused, and nothing happens', () =>
  play(`${hello}
    C: MAIL FROM:<alice@crepes.fr>
    S: 250 2.1.0 Originator ok
    C: RSET all
    S: 501 5.5.4 Cannot read RSET: it takes no argument
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 Recipient ok
    C: DATA now
    S: 501 5.5.4 Cannot read DATA: it takes no argument
    C: QUIT now
    S: 501 5.5.4 Cannot read QUIT: it takes no argument
    C: DATA
    S: 354 <…>
  `))

test('RFC 5321 §4.5.3.1: a local part of more than 64 octets is taken, and the path has its bound', async () => {
  const path = `bounce+${'0123456789'.repeat(12)}=bob=hamburger.edu@crepes.fr`
  await play(`${hello}
    C: MAIL FROM:<${'a'.repeat(250)}@crepes.fr>
    S: 501 5.1.7 Cannot read MAIL: the path is too long
    C: MAIL FROM:<${path}>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<${'b'.repeat(65)}@hamburger.edu>
    S: 550 5.1.1 No such user here
    C: RCPT TO:<bob+${'b'.repeat(65)}@hamburger.edu>
    S: 250 2.1.5 Recipient ok
    C: DATA
    S: 354 <…>
    C: Subject: Long
    C:
    C: .
    S: 250 2.0.0 <…>
  `)
  const letter = (await harness.inbox('bob@hamburger.edu')).at(-1)!
  assert.ok(letter.startsWith(`Return-Path: <${path}>\r\n`), letter)
})

test('RFC 5321 §4.5.1: postmaster at the name or the address of this host is the postmaster; nobody else is there', async () => {
  await play(`${hello}
    C: MAIL FROM:<alice@crepes.fr>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<bob@mail.hamburger.edu>
    S: 550 5.7.1 Relaying denied
    C: RCPT TO:<postmaster@[127.0.0.2]>
    S: 550 5.7.1 Relaying denied
    C: RCPT TO:<postmaster@crepes.fr>
    S: 550 5.7.1 Relaying denied
    C: RCPT TO:<PostMaster@Mail.Hamburger.EDU>
    S: 250 2.1.5 Recipient ok
    C: RCPT TO:<postmaster@[127.0.0.1]>
    S: 250 2.1.5 Recipient ok
    C: DATA
    S: 354 <…>
    C: Subject: To the postmaster
    C:
    C: .
    S: 250 2.0.0 <…>
  `)
  const letters = await harness.inbox('bob@hamburger.edu')
  assert.equal(letters.filter((letter) => letter.includes('Subject: To the postmaster')).length, 1)
})

test('RFC 4954: AUTH without a mechanism is a syntax error; blanks round a response are forgiven', () =>
  replay(
    submission.endpoint,
    `${hello}
    C: AUTH
    S: 501 5.5.4 Cannot read AUTH: expected a mechanism
    C: AUTH  LOGIN
    S: 334 VXNlcm5hbWU6
    C: Ym9i\t
    S: 334 UGFzc3dvcmQ6
    C: aHVuZ3J5
    S: 235 2.7.0 Authentication successful
    C: MAIL FROM:<bob@hamburger.edu> AUTH=bob
    S: 250 2.1.0 Originator ok
  `,
  ))
