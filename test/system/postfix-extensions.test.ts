/** Debian's Postfix and its tools use the extensions of our doors, and our queue uses those of Postfix. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { inject, saidBy, selfSignedTls, startOwnServer, until } from '../harness/foreign.ts'
import { runProgram } from '../harness/lab.ts'
import { freePort } from '../harness/ports.ts'
import { startPostfix } from '../harness/postfix.ts'
import { unpackedEnvironment, unpackServer } from '../harness/programs.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

const letters =
  (door: SmtpHarness, address: string, count = 1) =>
  async () => {
    const found = await door.inbox(address)
    return found.length >= count && found
  }

test('Postfix sends to us over TLS: pipelined, with SIZE, 8BITMIME, DSN and SMTPUTF8', async (t: TestContext) => {
  const door = await openSmtpDoor({ door: { tls: selfSignedTls('mail.hamburger.edu') } })
  t.after(() => door.close())
  await door.store.addAccount('用户@hamburger.edu', null)
  const postfix = await startPostfix(t, { domain: 'hamburger.edu', port: door.endpoint.port })
  if (postfix === null) return
  await inject(postfix.port, {
    from: 'alice@crepes.fr',
    to: ['bob@hamburger.edu', 'carol@hamburger.edu'],
    text: 'From: alice@crepes.fr\nSubject: by Postfix\n\n.dot\nCrêpes\n',
    dsn: { id: 'QQ314159', notify: ['failure', 'delay'] },
    eightBit: true,
  })
  const [letter] = await until('the letter', letters(door, 'carol@hamburger.edu'), postfix.log)
  assert.match(letter!, /from mx\.postfix\.example [^;]*with\s+ESMTPS\s/)
  assert.match(
    Buffer.from(letter!, 'latin1').toString(),
    /Subject: by Postfix\r\n(?:.+\r\n)*\r\n\.dot\r\nCrêpes\r\n$/,
  )
  await inject(postfix.port, {
    from: 'δοκιμή@παράδειγμα.example',
    to: ['用户@hamburger.edu'],
    text: 'From: δοκιμή@παράδειγμα.example\nSubject: 你好\n\nHello\n',
  })
  const [greek] = await until('the letter in UTF-8', letters(door, '用户@hamburger.edu'), postfix.log)
  const text = Buffer.from(greek!, 'latin1').toString()
  assert.match(text, /^Return-Path: <δοκιμή@/)
  assert.match(text, /with\s+UTF8SMTPS\s/)
  assert.match(text, /Subject: 你好\r\n/)

  const said = await until('both journeys', () => {
    const lines = saidBy('C', door.journeys)
    return lines.filter((line) => line === 'QUIT').length === 2 && lines
  })
  assert.ok(said.includes('STARTTLS'))
  const mails = said.filter((line) => line.startsWith('MAIL'))
  assert.match(mails[0]!, /^MAIL FROM:<alice@crepes\.fr> SIZE=\d+ BODY=8BITMIME ENVID=QQ314159 RET=HDRS$/)
  assert.match(mails[1]!, / SMTPUTF8$/)
  assert.match(
    said.find((line) => line.startsWith('RCPT'))!,
    /^RCPT TO:<bob@hamburger\.edu> ORCPT=rfc822;alice@crepes\.fr NOTIFY=FAILURE,DELAY$/,
  )
})

test('what we refuse of Postfix comes back to its sender with our words', async (t: TestContext) => {
  const door = await openSmtpDoor()
  t.after(() => door.close())
  const postfix = await startPostfix(t, { domain: 'hamburger.edu', port: door.endpoint.port })
  if (postfix === null) return
  await inject(postfix.port, {
    from: 'bob@postfix.example',
    to: ['nobody@hamburger.edu', 'bob@hamburger.edu'],
    text: 'From: bob@postfix.example\nSubject: half\n\nHello\n',
  })
  const [report] = await until(
    'the report',
    () => {
      const found = postfix.maildir('bob')
      return found.length > 0 && found
    },
    postfix.log,
  )
  assert.match(report!, /Final-Recipient: rfc822; nobody@hamburger\.edu/)
  assert.match(report!, /Status: 5\.1\.1/)
  assert.match(report!, /Diagnostic-Code: smtp; 550 5\.1\.1 No such user here/)
  assert.equal((await door.inbox('bob@hamburger.edu')).length, 1)
})

test('Postfix hands over by LMTP, one answer for each recipient', async (t: TestContext) => {
  const door = await openSmtpDoor({ door: { role: 'lmtp' } })
  t.after(() => door.close())
  const postfix = await startPostfix(t, {
    ...{ domain: 'hamburger.edu', port: door.endpoint.port, protocol: 'lmtp' },
  })
  if (postfix === null) return
  await inject(postfix.port, {
    from: 'bob@postfix.example',
    to: ['bob@hamburger.edu', 'nobody@hamburger.edu', 'carol@hamburger.edu'],
    text: 'From: bob@postfix.example\nSubject: by LMTP\n\nHello\n',
  })
  const [letter] = await until('the letter', letters(door, 'carol@hamburger.edu'), postfix.log)
  assert.match(letter!, /from mx\.postfix\.example .*by mail\.hamburger\.edu with\s+LMTP/)
  assert.equal((await door.inbox('bob@hamburger.edu')).length, 1)
  await until(
    'its log',
    () => /to=<nobody@.*status=bounced/.test(postfix.log()) && /to=<bob@.*status=sent/.test(postfix.log()),
    postfix.log,
  )
  assert.match(postfix.log(), /to=<nobody@hamburger\.edu>.*relay=127\.0\.0\.1.*dsn=5\.1\.1, status=bounced/)
  assert.match(postfix.log(), /to=<bob@hamburger\.edu>.*status=sent \(250 2\.0\.0 Message accepted/)
})

test('our queue delivers to Postfix: pipelined, DSN that Postfix answers, and SMTPUTF8', async (t: TestContext) => {
  const smtpPort = await freePort()
  const postfix = await startPostfix(t, { domain: 'crepes.example', port: smtpPort })
  if (postfix === null) return
  const own = await startOwnServer(t, 'crepes.example', {
    smtpPort,
    routes: { 'postfix.example': postfix.port },
  })
  await own.submit({
    to: 'bob@postfix.example',
    text: 'From: alice@crepes.example\nTo: bob@postfix.example\nSubject: to Postfix\n\n.dots\nHello\n',
    dsn: { id: 'first-1', notify: ['success', 'failure'] },
  })
  const report = await until('the report', () => own.letterWith('Action: delivered'), postfix.log)
  assert.match(report, /Original-Envelope-Id: first-1/)
  assert.match(report, /Final-Recipient: rfc822; bob@postfix\.example/)
  assert.match(postfix.maildir('bob')[0]!, /Subject: to Postfix\n(?:.+\n)*\n\.dots\nHello\n$/)
  const way = JSON.parse(await own.run('way', '--to', 'bob@postfix.example', '--json'))
  const spoken = way.stages.find(({ stage }: { stage: string }) => stage === 'spoken').dialogues[0].phases
  const sides = spoken.transfer.map(
    ({ side, text }: { side: string; text: string }) => `${side}${text.slice(0, 4)}`,
  )
  assert.deepEqual(sides.slice(0, 4), ['CMAIL', 'CRCPT', 'CDATA', 'S250 '], 'pipelined up to DATA')

  await own.submit({
    to: 'δοκιμή@postfix.example',
    text: 'From: alice@crepes.example\nTo: δοκιμή@postfix.example\nSubject: 你好\n\nCrêpes\n',
  })
  const [greek] = await until(
    'the letter in UTF-8',
    () => {
      const found = postfix.maildir('greek')
      return found.length > 0 && found
    },
    postfix.log,
  )
  const text = Buffer.from(greek!, 'latin1').toString()
  assert.match(text, /with UTF8SMTPS /)
  assert.match(text, /To: δοκιμή@postfix\.example\nSubject: 你好\n\nCrêpes\n$/)
})

test('smtp-source: hundreds of letters over many connections, by SMTP and by LMTP', async (t: TestContext) => {
  const root = await unpackServer('postfix', ['postfix'], t)
  if (root === null) return
  const program = join(root, 'usr/sbin/smtp-source')
  const env = unpackedEnvironment(root)
  for (const [role, more] of [
    ['mx', ['-d']],
    ['mx', []],
    ['lmtp', ['-L', '-d']],
  ] as const) {
    const door = await openSmtpDoor({ door: { role } })
    t.after(() => door.close())
    const args = ['-m', '200', '-s', '10', '-l', '2000', '-f', 'alice@crepes.fr', '-t', 'bob@hamburger.edu']
    const ran = await runProgram(program, [...args, ...more, `inet:127.0.0.1:${door.endpoint.port}`], { env })
    assert.equal(ran.code, 0, ran.stderr)
    const arrived = await door.inbox('bob@hamburger.edu')
    assert.equal(arrived.length, 200)
    assert.ok(arrived.every((letter) => letter.length > 2_000))
  }
})
