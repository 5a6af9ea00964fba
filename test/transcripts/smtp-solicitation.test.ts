/** RFC 3865: a sign at the door, and mail that says of itself what the sign does not want. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'

test('advertising that says what it is gets refused; other mail, and other classes, are taken', async (t) => {
  const harness = await openSmtpDoor({
    door: { noSolicitation: ['net.example:ADV', 'org.example:ADV:ADLT'] },
    limits: { recipients: 1_000, mailsPerConnection: 10_000_000 },
  })
  t.after(() => harness.close())
  const socket = connect(harness.endpoint.port, harness.endpoint.address)
  socket.write('EHLO crepes.fr\r\nQUIT\r\n')
  let hello = ''
  for await (const chunk of socket) hello += String(chunk)
  assert.match(hello, /^250[ -]LIMITS MAILMAX=999999 RCPTMAX=1000\r$/m, 'six digits at most, RFC 9422 §4')
  assert.match(hello, /^250[ -]NO-SOLICITING net\.example:ADV,org\.example:ADV:ADLT\r$/m)
  const sent = (header: string, reply: string): string => `
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 <…>
    C: DATA
    S: 354 <…>
    C: ${header}
    C:
    C: .
    S: ${reply}`
  await replay(
    harness.endpoint,
    `
    S: 220 <…>
    C: EHLO crepes.fr
    S: (…)
    C: MAIL FROM:<alice@crepes.fr> SOLICIT=net.example:OTHER,Net.Example:adv
    S: 550 5.7.1 Not wanted here: SOLICIT=Net.Example:adv
    C: MAIL FROM:<alice@crepes.fr> SOLICIT=9
    S: 501 5.5.4 <…>
    C: MAIL FROM:<alice@crepes.fr> SOLICIT=net.example:OTHER
    S: 250 <…>
    ${sent('Solicitation: net.example:OTHER, ORG.example:ADV:ADLT,net.example:ADV', '550 5.7.1 Not wanted here: SOLICIT=ORG.example:ADV:ADLT,net.example:ADV')}
    C: MAIL FROM:<alice@crepes.fr>
    S: 250 <…>
    ${sent('Solicitation: net.example:OTHER', '250 <…>')}
    C: QUIT
    S: 221 <…>`,
  )
})

test('without a sign nothing is announced, and the parameter is unknown', async (t) => {
  const harness = await openSmtpDoor()
  t.after(() => harness.close())
  await replay(
    harness.endpoint,
    `
    S: 220 <…>
    C: EHLO crepes.fr
    S: (…)
    C: MAIL FROM:<alice@crepes.fr> SOLICIT=net.example:ADV
    S: 555 5.5.4 <…>
    C: QUIT
    S: 221 <…>`,
  )
})
