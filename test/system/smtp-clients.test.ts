/** Other people's programs hand letters to the Lab, and Bob finds them. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { endpointOf, type LabProcess, runProgram, startLabProcess } from '../harness/lab.ts'
import { requirePrograms } from '../harness/programs.ts'

/** Waits until bob's INBOX has a letter of this subject, and gives back its text. */
async function arrived(lab: LabProcess, subject: string): Promise<string> {
  const { address, port } = endpointOf(lab.hamburger.imap)
  const deadline = Date.now() + 15_000
  const { ImapFlow } = await import('imapflow')
  for (;;) {
    const client = new ImapFlow({
      host: address,
      port,
      secure: false,
      auth: { user: 'bob@hamburger.edu', pass: 'hungry' },
      tls: { ca: readFileSync(lab.ca) },
      servername: lab.hamburger.hostname,
      logger: false,
    })
    await client.connect()
    await client.mailboxOpen('INBOX')
    const found = (await client.search({ subject })) || []
    const text = found.length === 0 ? null : await client.fetchOne(String(found.at(-1)), { source: true })
    await client.logout()
    if (text !== null && text !== false) return text.source!.toString('latin1')
    if (Date.now() > deadline) assert.fail(`the letter "${subject}" did not arrive`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const submissionOf = (lab: LabProcess): { host: string; port: string } => {
  const { address, port } = endpointOf(lab.crepes.submission)
  return { host: address, port: String(port) }
}

test('swaks submits with AUTH over STARTTLS, and delivers to port 25', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { swaks: 'swaks', perl: 'perl' } }, t))) return
  if (
    !(await requirePrograms({ debian: { '/usr/share/perl5/IO/Socket/SSL.pm': 'libio-socket-ssl-perl' } }, t))
  )
    return
  const lab = await startLabProcess(t)
  const { host, port } = submissionOf(lab)
  const submitted = await runProgram('swaks', [
    '--server',
    host,
    '--port',
    port,
    '--tls',
    '--auth',
    'PLAIN',
    '--auth-user',
    'alice@crepes.fr',
    '--auth-password',
    'strawberry',
    '--from',
    'alice@crepes.fr',
    '--to',
    'bob@hamburger.edu',
    '--header',
    'Subject: by swaks',
    '--body',
    'dots:\n.\n..\nend',
  ])
  assert.equal(submitted.code, 0, submitted.stdout)
  assert.match(await arrived(lab, 'by swaks'), /dots:\r\n\.\r\n\.\.\r\nend\r\n/)
  const login = await runProgram('swaks', [
    '--server',
    host,
    '--port',
    port,
    '--tls',
    '--auth',
    'LOGIN',
    '--auth-user',
    'alice@crepes.fr',
    '--auth-password',
    'wrong',
    '--from',
    'alice@crepes.fr',
    '--to',
    'bob@hamburger.edu',
  ])
  assert.equal(login.code, 28, login.stdout) // swaks: an error of authentication
  const mx = endpointOf(lab.hamburger.smtp)
  const direct = await runProgram('swaks', [
    '--server',
    mx.address,
    '--port',
    String(mx.port),
    '--tls',
    '--pipeline',
    '--from',
    'carol@elsewhere.example',
    '--to',
    'bob@hamburger.edu',
    '--header',
    'Subject: direct by swaks',
    '--body',
    'hello',
  ])
  assert.equal(direct.code, 0, direct.stdout)
  assert.match(await arrived(lab, 'direct by swaks'), /with ESMTPS/)
  const relay = await runProgram('swaks', [
    '--server',
    mx.address,
    '--port',
    String(mx.port),
    '--from',
    'a@elsewhere.example',
    '--to',
    'b@elsewhere.example',
  ])
  assert.equal(relay.code, 24, relay.stdout) // swaks: all recipients refused
})

test('curl submits over STARTTLS and over TLS from the start', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { curl: 'curl' } }, t))) return
  const lab = await startLabProcess(t)
  const letter = join(lab.folder, 'letter.eml')
  for (const [scheme, door] of [
    ['smtp', lab.crepes.submission],
    ['smtps', lab.crepes.submissions],
  ] as const) {
    const { address, port } = endpointOf(door)
    writeFileSync(
      letter,
      `From: alice@crepes.fr\r\nTo: bob@hamburger.edu\r\nSubject: by curl ${scheme}\r\n\r\nHello\r\n`,
    )
    const ran = await runProgram('curl', [
      '-sS',
      `${scheme}://${lab.crepes.hostname}:${port}/crepes.fr`,
      '--resolve',
      `${lab.crepes.hostname}:${port}:${address}`,
      '--ssl-reqd',
      '--cacert',
      lab.ca,
      '--user',
      'alice@crepes.fr:strawberry',
      '--mail-from',
      'alice@crepes.fr',
      '--mail-rcpt',
      'bob@hamburger.edu',
      '--upload-file',
      letter,
    ])
    assert.equal(ran.code, 0, ran.stderr)
    assert.match(await arrived(lab, `by curl ${scheme}`), /Hello/)
  }
})

const python = `
import smtplib, ssl, sys
host, port, ca, name = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)
server = smtplib.SMTP(host, port)
server._host = name
server.starttls(context=context)
server.login('alice@crepes.fr', 'strawberry')
for n in (1, 2, 3):
    server.sendmail('alice@crepes.fr', ['bob@hamburger.edu'], 'Subject: by smtplib %d\\r\\n\\r\\nHello %d\\r\\n' % (n, n))
try:
    server.sendmail('mallory@crepes.fr', ['bob@hamburger.edu'], 'Subject: forged\\r\\n\\r\\n')
    sys.exit('a forged sender was accepted')
except smtplib.SMTPSenderRefused as error:
    assert error.smtp_code == 550, error
server.quit()
`

test('L7 smtplib sends several messages on one connection', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { python3: 'python3' } }, t))) return
  const lab = await startLabProcess(t)
  const { host, port } = submissionOf(lab)
  const ran = await runProgram('python3', ['-c', python, host, port, lab.ca, lab.crepes.hostname])
  assert.equal(ran.code, 0, ran.stderr)
  for (const n of [1, 2, 3]) assert.match(await arrived(lab, `by smtplib ${n}`), new RegExp(`Hello ${n}`))
})

test('L7 nodemailer sends several objects in one multipart message', async (t: TestContext) => {
  const lab = await startLabProcess(t)
  const { createTransport } = await import('nodemailer')
  const { host, port } = submissionOf(lab)
  const transport = createTransport({
    host,
    port: Number(port),
    requireTLS: true,
    auth: { user: 'alice@crepes.fr', pass: 'strawberry' },
    tls: { ca: readFileSync(lab.ca), servername: lab.crepes.hostname },
  })
  await transport.sendMail({
    from: 'Alice <alice@crepes.fr>',
    to: 'bob@hamburger.edu',
    subject: 'by nodemailer',
    text: 'Crêpes',
    html: '<p>Crêpes</p>',
    attachments: [{ filename: 'pickles.txt', content: 'x'.repeat(300_000) }],
  })
  transport.close()
  const text = await arrived(lab, 'by nodemailer')
  assert.match(text, /multipart\/mixed/)
  assert.match(text, /filename=pickles\.txt/)
})
