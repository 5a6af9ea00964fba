/** Letters out of Debian's Exim into our doors, and out of our queue into Exim, with the extensions both know. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startExim } from '../harness/exim.ts'
import { inject, saidBy, selfSignedTls, startOwnServer, until } from '../harness/foreign.ts'
import { freePort } from '../harness/ports.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'

test('Exim sends to us over TLS: pipelined, in chunks, with SIZE, DSN and SMTPUTF8', async (t: TestContext) => {
  const door = await openSmtpDoor({ door: { tls: selfSignedTls('mail.hamburger.edu') } })
  t.after(() => door.close())
  await door.store.addAccount('用户@hamburger.edu', null)
  const exim = await startExim(t, [{ domain: 'hamburger.edu', port: door.endpoint.port }])
  if (exim === null) return
  await inject(exim.port, {
    from: 'alice@crepes.fr',
    // Two recipients and an end-of-data answer for both: PRDR is not offered, and Exim does without.
    to: ['bob@hamburger.edu', 'carol@hamburger.edu'],
    text: `From: alice@crepes.fr\nSubject: by Exim\n\n.dot\n${'line\n'.repeat(20_000)}`,
    dsn: { id: 'QQ314159', notify: ['failure', 'delay'] },
  })
  const [letter] = await until(
    'the letter',
    async () => {
      const found = await door.inbox('carol@hamburger.edu')
      return found.length > 0 && found
    },
    exim.log,
  )
  assert.match(letter!, /^Return-Path: <alice@crepes\.fr>\r\n/)
  assert.match(letter!, /from mx\.exim\.example [^;]*with\s+ESMTPS\s/)
  assert.match(letter!, /Subject: by Exim\r\n\r\n\.dot\r\n(?:line\r\n){20000}$/)
  assert.equal((await door.inbox('bob@hamburger.edu')).length, 1)
  // It writes its log when it has heard our answer.
  await until('the end of it', () => /Completed/.test(exim.log()), exim.log)
  assert.match(exim.log(), /=> bob@hamburger\.edu .*X=TLS1\.3:.* L K C=/)

  await inject(exim.port, {
    from: 'δοκιμή@παράδειγμα.example',
    to: ['用户@hamburger.edu'],
    text: 'From: δοκιμή@παράδειγμα.example\nSubject: 你好\n\nCrêpes\n',
    eightBit: true,
  })
  const [greek] = await until(
    'the letter in UTF-8',
    async () => {
      const found = await door.inbox('用户@hamburger.edu')
      return found.length > 0 && found
    },
    exim.log,
  )
  const text = Buffer.from(greek!, 'latin1').toString()
  assert.match(text, /with\s+UTF8SMTPS\s/)
  assert.match(text, /Subject: 你好\r\n\r\nCrêpes\r\n$/)

  const said = await until('the journeys', () => {
    const lines = saidBy('C', door.journeys)
    return lines.filter((line) => line.startsWith('BDAT')).length >= 2 && lines
  })
  assert.ok(said.includes('STARTTLS'))
  assert.ok(
    said.some((line) => /^MAIL FROM:<alice@crepes\.fr> SIZE=1\d{5}.* RET=HDRS ENVID=QQ314159$/.test(line)),
  )
  assert.ok(
    said.some((line) =>
      /^RCPT TO:<bob@hamburger\.edu> NOTIFY=FAILURE,DELAY ORCPT=rfc822;alice@crepes\.fr$/.test(line),
    ),
    said.join('\n'),
  )
  assert.ok(said.some((line) => /^MAIL FROM:<.*> SIZE=\d+ .*SMTPUTF8/.test(line)))
  assert.ok(!said.includes('DATA'))
  assert.ok(!saidBy('S', door.journeys).some((line) => line.includes('PRDR')))
})

test('Exim hands over by LMTP, one answer for each recipient', async (t: TestContext) => {
  const door = await openSmtpDoor({ door: { role: 'lmtp' } })
  t.after(() => door.close())
  const exim = await startExim(t, [{ domain: 'hamburger.edu', port: door.endpoint.port, protocol: 'lmtp' }])
  if (exim === null) return
  await inject(exim.port, {
    from: 'alice@exim.example',
    to: ['bob@hamburger.edu', 'nobody@hamburger.edu', 'carol@hamburger.edu'],
    text: 'From: alice@exim.example\nSubject: by LMTP\n\nHello\n',
  })
  await until('the answers', () => /Completed/.test(exim.log()), exim.log)
  assert.match((await door.inbox('bob@hamburger.edu'))[0]!, /with\s+LMTP\r\n[\s\S]*Subject: by LMTP/)
  assert.equal((await door.inbox('carol@hamburger.edu')).length, 1)
  assert.match(exim.log(), /\*\* nobody@hamburger\.edu .*550 5\.1\.1 No such user here/)
  assert.match(exim.log(), /=> bob@hamburger\.edu .*C="250 2\.0\.0/)
  assert.equal(saidBy('C', door.journeys)[0], 'LHLO mx.exim.example')
})

test('our queue delivers to Exim: TLS, pipelined, DSN that Exim answers, and SMTPUTF8', async (t: TestContext) => {
  const smtpPort = await freePort()
  const exim = await startExim(t, [{ domain: 'crepes.example', port: smtpPort }])
  if (exim === null) return
  const own = await startOwnServer(t, 'crepes.example', { smtpPort, routes: { 'exim.example': exim.port } })
  await own.submit({
    to: 'bob@exim.example',
    text: 'From: alice@crepes.example\nTo: bob@exim.example\nSubject: to Exim\n\n.dots\n.\nHello\n',
    dsn: { id: 'first-1', notify: ['success', 'failure'] },
  })
  const [letter] = await until(
    'the letter in Exim',
    () => {
      const found = exim.maildir('bob')
      return found.length > 0 && found
    },
    exim.log,
  )
  assert.match(letter!, /^Return-path: <alice@crepes\.example>\n/)
  assert.match(letter!, /Subject: to Exim\n\n\.dots\n\.\nHello\n$/)
  const [arrival] = exim.log().match(/^.*<= alice@crepes\.example .*$/m) ?? assert.fail(exim.log())
  assert.match(arrival, / P=esmtps L\. X=TLS1\.3:/, 'L. is pipelining, and no early pipelining')

  // Exim keeps NOTIFY, so the report of success is its own, and comes back to us.
  const report = await until('the report of success', () => own.letterWith('Action: delivered'), exim.log)
  assert.match(report, /Original-Envelope-I[dD]: first-1/)
  assert.match(report, /Final-Recipient: rfc822;\s?bob@exim\.example/)
  assert.match(report, /^Return-Path: <>\r\n/)

  await own.submit({
    to: 'δοκιμή@exim.example',
    text: 'From: alice@crepes.example\nTo: δοκιμή@exim.example\nSubject: 你好\n\nCrêpes\n',
  })
  const [greek] = await until(
    'the letter in UTF-8',
    () => {
      const found = exim.maildir('δοκιμή')
      return found.length > 0 && found
    },
    exim.log,
  )
  assert.match(Buffer.from(greek!, 'latin1').toString(), /Subject: 你好\n\nCrêpes\n$/)
  assert.match(exim.log(), /P=utf8esmtps/)

  await own.submit({
    to: 'nobody@exim.example',
    text: 'From: alice@crepes.example\nTo: nobody@exim.example\nSubject: refused\n\nHello\n',
  })
  const refused = await until('the report of failure', () => own.letterWith('Action: failed'), exim.log)
  assert.match(refused, /Final-Recipient: rfc822;\s?nobody@exim\.example/)
  assert.match(refused, /Diagnostic-Code: smtp;\s?550/)
})
