/** Other people's programs use the extensions of SMTP, LMTP, and the headers of proxies. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { SmtpDoorOptions } from '../../src/smtp/server/options.ts'
import { runProgram } from '../harness/lab.ts'
import { requirePrograms } from '../harness/programs.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'
import { temporaryFolder } from '../harness/temp.ts'

async function openDoor(t: TestContext, door: Partial<SmtpDoorOptions> = {}): Promise<SmtpHarness> {
  const own = await openSmtpDoor({ door })
  t.after(() => own.close())
  return own
}

const letterTo = async (own: SmtpHarness, address: string): Promise<string> => {
  const text = (await own.inbox(address)).at(-1)
  assert.ok(text !== undefined, `no letter for ${address}`)
  return Buffer.from(text, 'latin1').toString()
}

const addressOf = ({ endpoint }: SmtpHarness): string[] => ['--port', String(endpoint.port)]

async function swaks(own: SmtpHarness, args: readonly string[]): Promise<string> {
  const common = ['--server', own.endpoint.address, ...addressOf(own), '--from', 'alice@crepes.fr']
  const ran = await runProgram('swaks', [...common, '--to', 'bob@hamburger.edu', ...args])
  assert.equal(ran.code, 0, ran.stdout)
  return ran.stdout
}

test('swaks: pipelining, 8-bit text, XCLIENT', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { swaks: 'swaks', perl: 'perl' } }, t))) return
  const own = await openDoor(t, { xclient: ['127.0.0.1'] })
  await swaks(own, ['--pipeline', '--body', 'Crêpes'])
  assert.match(await letterTo(own, 'bob@hamburger.edu'), /Crêpes/)
  const client = [
    '--xclient-addr',
    '192.0.2.9',
    '--xclient-name',
    'smtp.crepes.fr',
    '--xclient-helo',
    'crepes.fr',
  ]
  await swaks(own, client)
  assert.match(
    await letterTo(own, 'bob@hamburger.edu'),
    /Received: from crepes\.fr \(smtp\.crepes\.fr \[192\.0\.2\.9\]\)/,
  )
})

test('swaks: the PROXY protocol, both versions', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { swaks: 'swaks', perl: 'perl' } }, t))) return
  const own = await openDoor(t, { proxies: ['127.0.0.1'] })
  const ends = ['--proxy-source-port', '4711', '--proxy-dest-port', '25', '--proxy-dest', '192.0.2.25']
  for (const [version, source, more] of [
    ['1', '192.0.2.7', []],
    ['2', '192.0.2.8', ['--proxy-command', 'PROXY', '--proxy-protocol', 'STREAM']],
  ] as const) {
    const family = version === '1' ? 'TCP4' : 'AF_INET'
    await swaks(own, [
      ...['--proxy-version', version, '--proxy-family', family, '--proxy-source', source],
      ...ends,
      ...more,
    ])
    assert.ok((await letterTo(own, 'bob@hamburger.edu')).includes(`[${source}]`))
  }
})

test('swaks: LMTP, an answer for each recipient', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { swaks: 'swaks', perl: 'perl' } }, t))) return
  const own = await openDoor(t, { role: 'lmtp' })
  const said = await swaks(own, ['--protocol', 'LMTP', '--to', 'bob@hamburger.edu,carol@hamburger.edu'])
  assert.equal(said.match(/^<- {2}250 2\.0\.0 Message accepted/gm)?.length, 2)
  assert.match(await letterTo(own, 'carol@hamburger.edu'), /with\s+LMTP/)
})

const python = `
import smtplib, sys
from email.message import EmailMessage
smtp, lmtp = int(sys.argv[1]), int(sys.argv[2])
server = smtplib.SMTP('127.0.0.1', smtp)
server.ehlo()
for name in ('smtputf8', '8bitmime', 'chunking', 'dsn', 'size', 'pipelining', 'limits'):
    assert server.has_extn(name), name
letter = EmailMessage()
letter['From'] = 'Δοκιμή <δοκιμή@παράδειγμα.example>'
letter['To'] = '用户@hamburger.edu'
letter['Subject'] = '你好'
letter.set_content('Hello\\n')
server.send_message(letter)
server.mail('alice@crepes.fr', ['RET=HDRS', 'ENVID=QQ314159'])
code, text = server.rcpt('bob@hamburger.edu', ['NOTIFY=SUCCESS,DELAY', 'ORCPT=rfc822;bob@hamburger.edu'])
assert code == 250, text
assert server.rcpt('bob@hamburger.edu', ['NOTIFY=SOON'])[0] == 501
server.rset()
server.docmd('MAIL FROM:<alice@crepes.fr>')
server.docmd('RCPT TO:<bob@hamburger.edu>')
server.send('BDAT 21\\r\\nSubject: chunks\\r\\n\\r\\nHi')
assert server.getreply()[0] == 250
server.send('BDAT 2 LAST\\r\\n\\r\\n')
assert server.getreply()[0] == 250
server.quit()
local = smtplib.LMTP('127.0.0.1', lmtp)
assert local.sendmail('alice@crepes.fr', ['bob@hamburger.edu'], 'Subject: by LMTP\\r\\n\\r\\nHello\\r\\n') == {}
try:
    local.sendmail('alice@crepes.fr', ['nobody@hamburger.edu'], '\\r\\n')
    sys.exit('an unknown user was accepted')
except smtplib.SMTPRecipientsRefused as error:
    assert error.recipients['nobody@hamburger.edu'][0] == 550, error
local.quit()
`

test('smtplib: SMTPUTF8, DSN, chunks and LMTP', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { python3: 'python3' } }, t))) return
  const own = await openDoor(t)
  const lmtp = await openDoor(t, { role: 'lmtp' })
  await own.store.addAccount('用户@hamburger.edu', null)
  const ports = [String(own.endpoint.port), String(lmtp.endpoint.port)]
  const ran = await runProgram('python3', ['-c', python, ...ports])
  assert.equal(ran.code, 0, ran.stderr)
  const letter = await letterTo(own, '用户@hamburger.edu')
  assert.match(letter, /^Return-Path: <δοκιμή@xn--hxajbheg2az3al\.example>/)
  assert.match(letter, /with\s+UTF8SMTP\s/)
  assert.match(letter, /\r\nSubject: 你好\r\n/)
  assert.match(await letterTo(own, 'bob@hamburger.edu'), /\r\nSubject: chunks\r\n\r\nHi\r\n$/)
  assert.match(await letterTo(lmtp, 'bob@hamburger.edu'), /Subject: by LMTP/)
})

test('msmtp: submission with DSN, and LMTP', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { msmtp: 'msmtp' } }, t))) return
  const own = await openDoor(t, { role: 'submission' })
  const folder = temporaryFolder(t)
  const config = join(folder, 'msmtprc')
  writeFileSync(
    config,
    `account posthorn\nhost 127.0.0.1\nport ${own.endpoint.port}\nauth plain\ntls off\n` +
      'user bob@hamburger.edu\npassword hungry\nfrom bob@hamburger.edu\n',
    { mode: 0o600 },
  )
  const text = 'From: bob@hamburger.edu\nSubject: by msmtp\n\n.\nHello\n'
  const sent = await runProgram(
    'msmtp',
    [
      ...[`--file=${config}`, '--account=posthorn', '--dsn-notify=failure,delay', '--dsn-return=headers'],
      ...['--', 'alice@crepes.fr', 'carol@hamburger.edu'],
    ],
    { input: text, env: { HOME: folder } },
  )
  assert.equal(sent.code, 0, sent.stderr)
  const [entry] = await own.store.listQueue(10)
  assert.equal(entry!.ret, 'HDRS')
  assert.equal(entry!.recipients[0]!.notify, 'FAILURE,DELAY')
  assert.match(await letterTo(own, 'carol@hamburger.edu'), /Subject: by msmtp\r\n\r\n\.\r\nHello\r\n$/)

  const lmtp = await openDoor(t, { role: 'lmtp' })
  const filed = await runProgram(
    'msmtp',
    [
      ...['--protocol=lmtp', '--host=127.0.0.1', `--port=${lmtp.endpoint.port}`, '--tls=off', '--auth=off'],
      ...['--from=alice@crepes.fr', '--', 'bob@hamburger.edu', 'carol@hamburger.edu'],
    ],
    { input: text, env: { HOME: folder } },
  )
  assert.equal(filed.code, 0, filed.stderr)
  assert.match(await letterTo(lmtp, 'bob@hamburger.edu'), /by msmtp/)
  assert.match(await letterTo(lmtp, 'carol@hamburger.edu'), /by msmtp/)
})

test('nodemailer: DSN, SMTPUTF8, LMTP', async (t: TestContext) => {
  const own = await openDoor(t, { role: 'submission' })
  await own.store.addAccount('用户@hamburger.edu', null)
  const { createTransport } = await import('nodemailer')
  const submission = createTransport({
    ...{ host: '127.0.0.1', port: own.endpoint.port, ignoreTLS: true },
    auth: { user: 'bob@hamburger.edu', pass: 'hungry' },
  })
  await submission.sendMail({
    from: 'bob@hamburger.edu',
    to: ['用户@hamburger.edu', 'alice@crepes.fr'],
    subject: 'by nodemailer',
    text: 'Hello',
    dsn: { id: 'id 1', return: 'headers', notify: ['failure', 'delay'], recipient: 'bob@hamburger.edu' },
  })
  submission.close()
  assert.match(await letterTo(own, '用户@hamburger.edu'), /with\s+UTF8SMTPA\s/)
  const [entry] = await own.store.listQueue(10)
  assert.deepEqual([entry!.ret, entry!.envid, entry!.smtpUtf8], ['HDRS', 'id+201', true])
  const [alice] = entry!.recipients
  assert.deepEqual([alice!.notify, alice!.orcpt], ['FAILURE,DELAY', 'rfc822;bob@hamburger.edu'])

  const door = await openDoor(t, { role: 'lmtp' })
  const lmtp = createTransport({ host: '127.0.0.1', port: door.endpoint.port, lmtp: true, ignoreTLS: true })
  await lmtp.sendMail({ from: 'alice@crepes.fr', to: 'bob@hamburger.edu', subject: 'by LMTP', text: 'Hello' })
  lmtp.close()
  assert.match(await letterTo(door, 'bob@hamburger.edu'), /Subject: by LMTP/)
})

test('curl: a UTF-8 address, VRFY and HELP', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { curl: 'curl' } }, t))) return
  const own = await openDoor(t)
  await own.store.addAccount('用户@hamburger.edu', null)
  const letter = join(temporaryFolder(t), 'letter.eml')
  writeFileSync(letter, 'From: alice@crepes.fr\r\nSubject: by curl\r\n\r\nHello\r\n')
  const url = `smtp://127.0.0.1:${own.endpoint.port}/crepes.fr`
  const paths = ['--mail-from', 'alice@crepes.fr', '--mail-rcpt', '用户@hamburger.edu']
  const sent = await runProgram('curl', ['-sS', url, ...paths, '--upload-file', letter])
  assert.equal(sent.code, 0, sent.stderr)
  assert.match(await letterTo(own, '用户@hamburger.edu'), /Subject: by curl/)
  const help = await runProgram('curl', ['-sS', url, '--request', 'HELP'])
  assert.match(help.stdout, /EHLO MAIL RCPT/)
})
