/** Log-in by certificate, RFC 4422 appendix A, with Python's and curl's clients on all three kinds of door. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { parseConfig } from '../../src/daemon/load-config.ts'
import { createServer } from '../../src/daemon/server.ts'
import { mapResolver } from '../../src/dns/map-resolver.ts'
import { temporaryFolder } from '../harness/temp.ts'
import { makePeople } from './authority.ts'

const run = promisify(execFile)

async function openServer(t: TestContext) {
  const folder = temporaryFolder(t)
  const people = await makePeople(folder, {
    ada: 'email:Ada@One.example,email:info@one.example',
    // An account that is not there, and an alias.
    bob: 'email:bob@elsewhere.example,email:info@one.example',
    eve: null,
  })
  const doors = ['smtp', 'submission', 'submissions', 'pop3', 'pop3s', 'imap', 'imaps']
  const listen = doors.map((door) => `${door} = ["127.0.0.1:0"]`).join('\n')
  const text = `hostname = "mail.one.example"\n[tls]\nclient_ca = "ca.pem"\n[listen]\n${listen}\n`
  const { config } = parseConfig(text, join(folder, 'posthorn.toml'))
  const server = await createServer(config, {
    ...{ clock: systemClock, random: systemRandom, log: silentLog, authorities: [] },
    resolver: mapResolver({}),
    dialler: () => Promise.reject(new Error('nobody is called in this test')),
  })
  t.after(() => server.close(0))
  await server.store.addDomain('one.example')
  await server.store.addAccount(
    'ada@one.example',
    '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  )
  await server.store.addAlias('info@one.example', ['ada@one.example'])
  const port = (door: string): string =>
    Object.entries(server.line)
      .find(([name]) => name === door)![1]
      .split(':')[1]!
  return { folder, people, server, port }
}

const python = `
import base64, imaplib, json, poplib, smtplib, ssl, sys
ports = json.loads(sys.argv[1])
def context(who):
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if who: made.load_cert_chain(who + '.pem', who + '.key')
    return made
said = []
def smtp(who, authzid):
    with smtplib.SMTP('127.0.0.1', ports['submission']) as s:
        s.starttls(context=context(who)); s.ehlo()
        offered = s.esmtp_features.get('auth', '')
        code, text = s.docmd('AUTH', 'EXTERNAL ' + (base64.b64encode(authzid).decode() or '='))
        said.append(['smtp', who, offered.split()[0], code])
smtp('ada', b''); smtp('ada', b'ada@one.example'); smtp('ada', b'info@one.example'); smtp('ada', b'ada')
smtp('bob', b''); smtp('eve', b''); smtp(None, b'')
with smtplib.SMTP('127.0.0.1', ports['submission']) as s:
    s.starttls(context=context('ada')); s.ehlo()
    said.append(['challenge', s.docmd('AUTH', 'EXTERNAL')[0], s.docmd('')[0]])
    said.append(['mail', s.docmd('MAIL', 'FROM:<ada@one.example>')[0]])
def imap(who):
    m = imaplib.IMAP4_SSL('127.0.0.1', ports['imaps'], ssl_context=context(who))
    offered = 'AUTH=EXTERNAL' in m.capabilities
    try: state = m.authenticate('EXTERNAL', lambda _: b'')[0]
    except imaplib.IMAP4.error as error: state = 'refused'
    said.append(['imap', who, offered, state])
imap('ada'); imap('eve')
def pop3(who):
    p = poplib.POP3('127.0.0.1', ports['pop3']); p.stls(context=context(who))
    offered = 'EXTERNAL' in p.capa()['SASL']
    try: state = p._shortcmd('AUTH EXTERNAL =')[:3].decode()
    except poplib.error_proto as error: state = 'refused'
    said.append(['pop3', who, offered, state])
pop3('ada'); pop3('eve')
with smtplib.SMTP('127.0.0.1', ports['smtp']) as s:
    s.starttls(context=context('ada')); s.ehlo()
    said.append(['mx', 'auth' in s.esmtp_features])
print(json.dumps(said))
`

test('a client certificate logs in by EXTERNAL where it names an account, and only there', async (t) => {
  const { folder, port } = await openServer(t)
  const script = join(folder, 'clients.py')
  await writeFile(script, python)
  const doors = ['smtp', 'submission', 'imaps', 'pop3']
  const ports = Object.fromEntries(doors.map((door) => [door, Number(port(door))]))
  const { stdout } = await run('python3', [script, JSON.stringify(ports)], { cwd: folder, timeout: 30_000 })
  assert.deepEqual(JSON.parse(stdout), [
    ['smtp', 'ada', 'EXTERNAL', 235],
    ['smtp', 'ada', 'EXTERNAL', 235],
    ['smtp', 'ada', 'EXTERNAL', 535],
    ['smtp', 'ada', 'EXTERNAL', 235],
    ['smtp', 'bob', 'PLAIN', 504],
    ['smtp', 'eve', 'PLAIN', 504],
    ['smtp', null, 'PLAIN', 504],
    ['challenge', 334, 235],
    ['mail', 250],
    ['imap', 'ada', true, 'OK'],
    ['imap', 'eve', false, 'refused'],
    ['pop3', 'ada', true, '+OK'],
    ['pop3', 'eve', false, 'refused'],
    ['mx', false],
  ])
})

test('curl sends and reads with a certificate and no password', async (t) => {
  const { folder, port, people } = await openServer(t)
  await writeFile(
    join(folder, 'letter.eml'),
    'From: ada@one.example\r\nSubject: by certificate\r\n\r\nHello\r\n',
  )
  const who = ['-sS', '-k', '--cert', people.file('ada.pem'), '--key', people.file('ada.key')]
  const external = [...who, '--user', 'ada@one.example:', '--login-options', 'AUTH=EXTERNAL']
  const curl = (...args: string[]) => run('curl', args, { cwd: folder, timeout: 30_000 })
  const addresses = ['--mail-from', 'ada@one.example', '--mail-rcpt', 'ada@one.example']
  await curl(...external, `smtps://127.0.0.1:${port('submissions')}`, ...addresses, '-T', 'letter.eml')
  const { stdout } = await curl(
    ...external,
    `imaps://127.0.0.1:${port('imaps')}/`,
    '-X',
    'STATUS INBOX (MESSAGES)',
  )
  assert.match(stdout, /MESSAGES/)
})

for (const [door, wrong] of [
  ['submissions', 'imap'],
  ['imaps', 'smtp'],
  ['pop3s', 'http/1.1'],
] as const) {
  test(`openssl s_client: a ${door} door answers its own ALPN name and hangs up on ${wrong}`, async (t) => {
    const { people, port } = await openServer(t)
    const ask = (alpn: string) =>
      people.openssl('s_client', '-connect', `127.0.0.1:${port(door)}`, '-alpn', alpn).then(
        ({ stdout }) => String(stdout),
        (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
      )
    const own = { submissions: 'smtp', imaps: 'imap', pop3s: 'pop3' }[door]
    assert.match(await ask(own), new RegExp(`ALPN protocol: ${own}`))
    assert.match(await ask(wrong), /alert no application protocol/)
  })
}
