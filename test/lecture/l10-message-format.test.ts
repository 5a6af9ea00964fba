/** L10: header lines, a blank line, the body; and the header is not the envelope. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanMessage } from '../../src/message/scan.ts'
import { replay } from '../harness/replay.ts'
import { doorsOf, openImap, openPop3, openStage, says, Talk } from './stage.ts'

const conversation = (lines: readonly string[]) => `
  S: 220 hamburger.edu
  C: HELO crepes.fr
  S: 250 <…>
  C: MAIL FROM:<alice@crepes.fr>
  S: 250 <…>
  C: RCPT TO:<bob@hamburger.edu>
  S: 250 <…>
  C: DATA
  S: 354 <…>
${lines.map((line) => `  C: ${line}`).join('\n')}
  C: .
  S: 250 <…>
  C: QUIT
  S: 221 <…>
`

const header = [
  'To: everybody@elsewhere.example',
  'From: "The Chef" <chef@elsewhere.example>',
  'Subject: Searching for the meaning of',
  ' life',
]
const body = ['Subject: this is no subject, but the body', '', 'after a blank line.']

test('L10 To, From and Subject are not the commands: the letter goes where RCPT says, and shows what its header says', async (t) => {
  const { lab, env } = await openStage(t, 'lecture')
  const { smtp, pop3, imap } = doorsOf(lab.line, 'hamburger.edu')
  await replay(smtp, conversation([...header, '', ...body]))

  const session = await openPop3(pop3)
  const text = await session.retr(3)
  await session.quit()
  const written = `${[...header, '', ...body].join('\r\n')}\r\n`
  assert.ok(text.endsWith(`\r\n${written}`), text)
  // RFC 5321 §4.4: what the envelope said stands above, as a trace.
  const trace = text.slice(0, -written.length)
  assert.match(trace, /^Return-Path: <alice@crepes\.fr>\r\nReceived: from crepes\.fr /)

  const scan = scanMessage(Buffer.from(text, 'latin1'))
  assert.equal(scan.hasHeader, true)
  assert.equal(text.slice(scan.headerOctets), `${body.join('\r\n')}\r\n`)
  assert.equal(text.slice(scan.headerOctets - 4, scan.headerOctets), '\r\n\r\n')
  const { subject, from, to } = scan.envelope
  assert.equal(subject, 'Searching for the meaning of life')
  assert.deepEqual(
    [from, to].map(([one]) => `${one!.name} ${one!.mailbox}@${one!.host}`),
    ['The Chef chef@elsewhere.example', 'null everybody@elsewhere.example'],
  )

  // The same by IMAP, in pieces.
  const client = await openImap(t, imap)
  await client.mailboxOpen('INBOX')
  const whole = await client.fetchOne('3', { envelope: true, headers: true, bodyParts: ['TEXT'] })
  const found = await client.fetchOne('3', { headers: ['From', 'To', 'Subject'] })
  assert.ok(whole && found)
  assert.equal(whole.envelope!.from![0]!.address, 'chef@elsewhere.example')
  assert.equal(whole.envelope!.subject, 'Searching for the meaning of life')
  assert.equal(whole.headers!.toString('latin1'), text.slice(0, scan.headerOctets))
  assert.equal(whole.bodyParts!.get('text')!.toString('latin1'), text.slice(scan.headerOctets))
  assert.equal(found.headers!.toString('latin1'), `${header.join('\r\n')}\r\n\r\n`)

  await says(env, 'ls', '--as', 'bob')
  const shown = await says(env, 'read', '1', '--as', 'bob')
  assert.match(shown, /^From: The Chef <chef@elsewhere\.example>\nTo: everybody@elsewhere\.example\n/)
  assert.match(
    shown,
    /\nSubject: Searching for the meaning of life\n\nSubject: this is no subject, but the body\n/,
  )
})

test('L10 a letter without header is all body, and one without body is all header', async (t) => {
  const { lab } = await openStage(t, 'lecture')
  const { smtp, pop3, imap } = doorsOf(lab.line, 'hamburger.edu')
  await replay(smtp, conversation(['Do you like ketchup?', 'How about pickles?']))
  await replay(smtp, conversation(['Subject: nothing more']))
  const session = await openPop3(pop3)
  const [bodyOnly, headerOnly] = [await session.retr(3), await session.retr(4)]
  // TOP 0 is the header and the blank line, RFC 1939 §7.
  const [top3, top4] = [await session.lines('top 3 0'), await session.lines('top 4 0')]
  await session.quit()
  const [first, second] = [bodyOnly, headerOnly].map((text) => scanMessage(Buffer.from(text, 'latin1')))
  assert.equal(bodyOnly.slice(first!.headerOctets), 'Do you like ketchup?\r\nHow about pickles?\r\n')
  assert.equal(`${top3.join('\r\n')}\r\n`, bodyOnly.slice(0, first!.headerOctets))
  assert.equal(second!.envelope.subject, 'nothing more')
  assert.equal(headerOnly.slice(second!.headerOctets), '')
  assert.equal(top4.filter((line) => line !== '').at(-1), 'Subject: nothing more')

  const talk = await Talk.to(imap)
  await talk.until('\r\n')
  talk.send('a LOGIN bob@hamburger.edu hungry\r\nb SELECT INBOX\r\nc FETCH 3:4 (BODY.PEEK[TEXT])\r\n')
  const said = await talk.until('c OK')
  assert.match(said, /\* 3 FETCH \(BODY\[TEXT\] \{42\}\r\nDo you like ketchup\?\r\nHow about pickles\?\r\n\)/)
  assert.match(said, /\* 4 FETCH \(BODY\[TEXT\] (?:\{0\}\r\n|"")\)/)
  talk.hangUp()
})
