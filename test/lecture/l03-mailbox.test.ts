/** L3: a mail server keeps a mailbox of incoming messages for each user. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replay } from '../harness/replay.ts'
import { doorsOf, openImap, openPop3, openStage, says } from './stage.ts'

const carolLogin = Buffer.from('\0carol@hamburger.edu\0mustard').toString('base64')

test('L3 each user has a mailbox of their own, and a letter to two of them is in both', async (t) => {
  const { lab, env } = await openStage(t, 'today')
  const { smtp, pop3, imap } = doorsOf(lab.line, 'hamburger.edu')
  const { hashPassword } = await import('../../src/auth/password-hash.ts')
  await lab.servers[1].store.addAccount('carol@hamburger.edu', await hashPassword('mustard'))
  await replay(
    smtp,
    `
    S: 220 <…>
    C: EHLO dairy.example
    S: (…)
    C: MAIL FROM:<cow@dairy.example>
    S: 250 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 <…>
    C: RCPT TO:<carol@hamburger.edu>
    S: 250 <…>
    C: RCPT TO:<nobody@hamburger.edu>
    S: 550 <…>
    C: DATA
    S: 354 <…>
    C: Subject: Milk
    C:
    C: For both of you.
    C: .
    S: 250 <…>
    C: MAIL FROM:<cow@dairy.example>
    S: 250 <…>
    C: RCPT TO:<carol@hamburger.edu>
    S: 250 <…>
    C: DATA
    S: 354 <…>
    C: Subject: Butter
    C:
    C: For Carol alone.
    C: .
    S: 250 <…>
    C: QUIT
    S: 221 <…>
  `,
  )
  // After 250 each letter is in its mailbox: nobody has to wait for it.
  const [bob, carol] = [await openImap(t, imap), await openImap(t, imap, 'carol@hamburger.edu', 'mustard')]
  const subjects = async (client: typeof bob) => {
    await client.mailboxOpen('INBOX')
    const all = await client.fetchAll('1:*', { envelope: true })
    return all.map(({ envelope }) => envelope?.subject)
  }
  assert.deepEqual(await subjects(bob), ['Ketchup?', 'Six steps to your table', 'Milk'])
  assert.deepEqual(await subjects(carol), ['Milk', 'Butter'])
  // What Carol does to hers changes nothing of Bob's.
  await carol.messageDelete('1')
  assert.deepEqual(await subjects(carol), ['Butter'])
  const session = await openPop3(pop3)
  assert.match(await session.retr(3), /\r\n\r\nFor both of you\.\r\n$/)
  await session.quit()
  assert.match(await says(env, 'ls', '--as', 'bob'), /Milk/)
})

test('L3 nobody reads another user’s mailbox', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { pop3, imap, submission } = doorsOf(lab.line, 'hamburger.edu')
  const { hashPassword } = await import('../../src/auth/password-hash.ts')
  await lab.servers[1].store.addAccount('carol@hamburger.edu', await hashPassword('mustard'))
  await replay(
    pop3,
    `
    S: +OK POP3 server ready
    C: user bob
    S: +OK
    C: pass mustard
    S: -ERR <…>
  `,
  )
  await replay(
    imap,
    `
    S: * OK <…>
    C: a LOGIN carol@hamburger.edu mustard
    S: a OK <…>
    C: b STATUS INBOX (MESSAGES)
    S: * STATUS INBOX (MESSAGES 0)
    S: b OK <…>
    C: c SELECT "Other Users/bob/INBOX"
    S: c NO <…>
    C: d LIST "" "*bob*"
    S: d OK <…>
  `,
  )
  // Nor does anybody write in another's name.
  await replay(
    submission,
    `
    S: 220 <…>
    C: HELO carol.example
    S: 250 <…>
    C: AUTH PLAIN ${carolLogin}
    S: 235 <…>
    C: MAIL FROM:<bob@hamburger.edu>
    S: 550 5.7.1 <…>
  `,
  )
})
