/** A letter out of Posthorn into Debian's Postfix, and one from Postfix into Posthorn. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ReadyLine } from '../../src/daemon/ready-line.ts'
import { endpointOf } from '../harness/lab.ts'
import { freePort } from '../harness/ports.ts'
import { startPostfix } from '../harness/postfix.ts'
import { startPosthorn } from '../harness/process.ts'
import { temporaryFolder } from '../harness/temp.ts'

async function until<T>(
  what: string,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > deadline) assert.fail(`waited for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('L5 letters travel between Posthorn and Postfix in both directions, over TLS', async (t: TestContext) => {
  const smtpPort = await freePort()
  const postfix = await startPostfix(t, { domain: 'hamburger.example', port: smtpPort })
  if (postfix === null) return
  const folder = temporaryFolder(t)
  const config = join(folder, 'posthorn.toml')
  writeFileSync(
    config,
    `hostname = "mail.hamburger.example"\ndata = "data"\n` +
      `[listen]\nsmtp = ["127.0.0.1:${smtpPort}"]\nsubmission = ["127.0.0.1:0"]\nimap = ["127.0.0.1:0"]\n` +
      `[auth]\nplaintext = "loopback"\n[guards]\ntrusted = ["127.0.0.1"]\n[routes]\n"postfix.example" = "127.0.0.1:${postfix.port}"\n`,
  )
  for (const [args, input] of [
    [['domain', 'add', 'hamburger.example'], ''],
    [['account', 'add', 'alice@hamburger.example'], 'strawberry\n'],
  ] as const) {
    const ended = await startPosthorn(t, ['--config', config, ...args], { input }).ended
    assert.equal(ended.code, 0)
  }
  const server = startPosthorn(t, ['serve', '--config', config, '--json'])
  const ready = await server.json<ReadyLine & Record<string, unknown>>('ready')
  const [doors] = ready.servers
  const { createTransport } = await import('nodemailer')

  const submission = endpointOf(doors!.submission)
  const agent = createTransport({
    host: submission.address,
    port: submission.port,
    ignoreTLS: true,
    auth: { user: 'alice@hamburger.example', pass: 'strawberry' },
  })
  const recipients = ['bob@postfix.example', 'nobody@postfix.example']
  await agent.sendMail({
    from: 'alice@hamburger.example',
    to: recipients,
    subject: 'to Postfix',
    text: '.dots\n.\nü',
  })
  agent.close()
  const [letter] = await until(
    'the letter in Postfix',
    () => postfix.maildir('bob').length > 0 && postfix.maildir('bob'),
  )
  assert.match(letter!, /^Return-Path: <alice@hamburger\.example>\n/)
  assert.match(letter!, /from mail\.hamburger\.example .*with\s+ESMTPS/s)
  assert.match(letter!, /Subject: to Postfix/)

  const inject = createTransport({ host: '127.0.0.1', port: postfix.port, ignoreTLS: true })
  await inject.sendMail({
    from: 'bob@postfix.example',
    to: 'alice@hamburger.example',
    subject: 'from Postfix',
    text: 'hello',
  })
  inject.close()
  const imap = endpointOf(doors!.imap)
  const { ImapFlow } = await import('imapflow')
  const client = new ImapFlow({
    host: imap.address,
    port: imap.port,
    secure: false,
    doSTARTTLS: false,
    auth: { user: 'alice@hamburger.example', pass: 'strawberry' },
    logger: false,
  })
  await client.connect()
  t.after(() => client.close())
  await client.mailboxOpen('INBOX')
  const number = await until(
    'the letter from Postfix',
    async () => ((await client.search({ subject: 'from Postfix' })) || [])[0],
  )
  const arrived = await client.fetchOne(String(number), { source: true })
  assert.match(
    arrived === false ? '' : arrived.source!.toString('latin1'),
    /from mx\.postfix\.example .*with\s+ESMTPS/s,
  )
  assert.match(postfix.log(), /TLS connection established to 127\.0\.0\.1/)

  // The recipient that Postfix refused has come back as one report to the sender.
  const report = await until(
    'the report',
    async () => ((await client.search({ from: 'Mail delivery' })) || [])[0],
  )
  const text = await client.fetchOne(String(report), { source: true })
  const source = text === false ? '' : text.source!.toString('latin1')
  assert.match(source, /nobody@postfix\.example/)
  assert.match(source, /multipart\/report/)
  assert.match(source, /Status: 5\.1\.1/)
  await client.logout()
})
