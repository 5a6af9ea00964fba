/** Mail through Debian's libmilter (a Python milter) and through Debian's OpenDKIM. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ReadyLine } from '../../src/daemon/ready-line.ts'
import { endpointOf } from '../harness/lab.ts'
import { startPosthorn } from '../harness/process.ts'
import { startObedientMilter, startOpenDkim } from '../harness/milters.ts'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { temporaryFolder } from '../harness/temp.ts'

/** @param answer The reply after the dot. */
const letter = (subject: string, answer: string): string => `
    C: MAIL FROM:<ada@client.example>
    S: 250 2.1.0 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 <…>
    C: DATA
    S: 354 <…>
    C: From: Ada <ada@client.example>
    C: Subject: ${subject}
    C:
    C: Hi Bob
    C: ..dots
    C: .
    S: ${answer}`

const hello = `
    S: 220 <…>
    C: HELO client.example
    S: 250 <…>`

test('a milter on libmilter passes, marks, changes, throws away and refuses letters', async (t: TestContext) => {
  const milter = await startObedientMilter(t)
  if (milter === null) return
  const door = await openSmtpDoor({ door: { filters: [milter.filter] } })
  t.after(() => door.close())
  await replay(
    door.endpoint,
    `${hello}
    C: MAIL FROM:<refused@client.example>
    S: 550 5.7.1 Command refused
    C: MAIL FROM:<ada@client.example>
    S: 250 2.1.0 <…>
    C: RCPT TO:<carol@hamburger.edu>
    S: 550 5.7.1 Carol reads no such letters
    C: RSET
    S: 250 2.0.0 <…>
    ${letter('hello', '250 2.0.0 <…>')}
    ${letter('rewrite', '250 2.0.0 <…>')}
    ${letter('discard', '250 2.0.0 <…>')}
    ${letter('later', '451 4.7.1 <…>')}
    ${letter('junk', '250 2.0.0 <…>')}
    C: QUIT
    S: 221 <…>
    S: (closed)
    `,
  )
  const [plain, rewritten, ...more] = await door.inbox('bob@hamburger.edu')
  assert.deepEqual(more, [])
  assert.match(plain!, /X-Octets: 15\r\n(?:.*\r\n)*Subject: hello\r\n\r\nHi Bob\r\n\.dots\r\n$/)
  assert.match(rewritten!, /Subject: rewritten\r\n(?:X-Octets: 15\r\n)?\r\nanother body\r\n$/)
  assert.match(rewritten!, /X-Octets: 15\r\n/)
  await milter.process.line('close')
  const said = milter.process.stdout.split('\n')
  assert.match(said[0]!, /^connect mail\.client\.example \S+ \('127\.0\.0\.1', \d+\) \d+$/)
  assert.deepEqual(said.slice(1, 3), ['hello client.example', 'mail <refused@client.example> client.example'])
  assert.equal(said.filter((line) => line.startsWith('connect')).length, 1)
  assert.equal(said.filter((line) => /^eom 15 \S{16}$/.test(line)).length, 5)
  const judged = door.journeys.flatMap(({ events }) => events).filter(({ stage }) => stage === 'judged')
  assert.ok(judged.some(({ kind, data }) => kind === 'refuse' && data['filter'] === 'obedient'))
  assert.ok(judged.some(({ data }) => data['filter'] === 'obedient' && data['answer'] === 'accept'))
})

test('what one OpenDKIM signs through us another one verifies through us', async (t: TestContext) => {
  const milters = await startOpenDkim(t, temporaryFolder(t), 'client.example')
  if (milters === null) return
  const signing = await openSmtpDoor({ door: { filters: [milters.signer] } })
  t.after(() => signing.close())
  await replay(
    signing.endpoint,
    `${hello}
    C: MAIL FROM:<ada@client.example>
    S: 250 2.1.0 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 <…>
    C: DATA
    S: 354 <…>
    C: From:Ada  <ada@client.example>
    C: Subject: folded
    C:   with  spaces
    C: To: bob@hamburger.edu
    C: Date: Mon, 23 Nov 2026 09:00:00 +0000
    C:
    C: Hi Bob
    C:
    C: .
    S: 250 2.0.0 <…>
    `,
  )
  const [signed] = await signing.inbox('bob@hamburger.edu')
  assert.match(signed!, /^DKIM-Signature: v=1; a=rsa-sha256; c=simple\/simple; d=client\.example;/m)

  const verifying = await openSmtpDoor({ door: { filters: [milters.verifier] } })
  t.after(() => verifying.close())
  const asLines = (text: string): string =>
    text
      .split('\r\n')
      .slice(0, -1)
      .map((line) => `    C: ${line}`)
      .join('\n')
  for (const text of [signed!, signed!.replace('Hi Bob', 'Hi Eve')]) {
    await replay(
      verifying.endpoint,
      `${hello}
    C: MAIL FROM:<ada@client.example>
    S: 250 2.1.0 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 <…>
    C: DATA
    S: 354 <…>
${asLines(text)}
    C: .
    S: 250 2.0.0 <…>
    `,
    )
  }
  const [genuine, changed] = await verifying.inbox('bob@hamburger.edu')
  assert.match(genuine!, /^Authentication-Results: mx\.posthorn\.example;\s+dkim=pass/m)
  assert.match(changed!, /^Authentication-Results: mx\.posthorn\.example;\s+dkim=fail/m)
})

test('a server asks the milter of its configuration, and tells what it answered', async (t: TestContext) => {
  const milter = await startObedientMilter(t)
  if (milter === null) return
  const folder = temporaryFolder(t)
  const config = join(folder, 'posthorn.toml')
  writeFileSync(
    config,
    `hostname = "mail.hamburger.example"\ndata = "data"\n[listen]\nsmtp = ["127.0.0.1:0"]\n` +
      `[[milter]]\nname = "obedient"\nsocket = "inet:${milter.port}@127.0.0.1"\n`,
  )
  for (const [args, input] of [
    [['domain', 'add', 'hamburger.example'], ''],
    [['account', 'add', 'bob@hamburger.example'], 'hungry\n'],
  ] as const)
    assert.equal((await startPosthorn(t, ['--config', config, ...args], { input }).ended).code, 0)
  const server = startPosthorn(t, ['serve', '--config', config, '--json'])
  const ready = await server.json<ReadyLine & Record<string, unknown>>('ready')
  await replay(
    endpointOf(ready.servers[0]!.smtp),
    `${hello}${letter('hello', '250 2.0.0 <…>').replaceAll('hamburger.edu', 'hamburger.example')}
    C: QUIT
    S: 221 <…>
    `,
  )
  await milter.process.line('close')
  const way = startPosthorn(t, ['way', '--config', config, '--to', 'bob@hamburger.example'])
  assert.equal((await way.ended).code, 0, way.stderr)
  assert.match(way.stdout, /obedient: accept \(add-header, [\d.]+ ms\)/)
})
