/** Nothing relays for strangers, however an address is written; and what must always be taken is taken. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'
import { testTls } from './pop3-world.ts'

let harness: SmtpHarness
before(async () => {
  harness = await openSmtpDoor({ door: { tls: testTls() }, limits: { errorsPerSession: 1_000 } })
  await harness.store.addDomain('xn--kse-qla.example')
  await harness.store.addAccount('cheese@xn--kse-qla.example', null)
})
after(() => harness.close())

const utf8 = (text: string): string => Buffer.from(text).toString('latin1')
const hello = `
  S: 220 mail.hamburger.edu ESMTP
  C: EHLO crepes.fr
  S: (…)
  C: MAIL FROM:<alice@crepes.fr> SMTPUTF8
  S: 250 2.1.0 Originator ok`

for (const [path, reply] of [
  ['dan@elsewhere.example', '550 5.7.1 Relaying denied'],
  ['dan@elsewhere.example.', '501 5.1.3 <…>'],
  ['dan%elsewhere.example@hamburger.edu', '550 5.1.1 <…>'],
  ['dan%elsewhere.example@', '501 5.1.3 <…>'],
  ['elsewhere.example!dan', '501 5.1.3 <…>'],
  ['elsewhere.example!dan@hamburger.edu', '550 5.1.1 <…>'],
  ['hamburger.edu!dan@elsewhere.example', '550 5.7.1 Relaying denied'],
  ['@hamburger.edu:dan@elsewhere.example', '550 5.7.1 Relaying denied'],
  ['@hamburger.edu,@mail.hamburger.edu:dan@elsewhere.example', '550 5.7.1 Relaying denied'],
  ['@elsewhere.example:dan', '501 5.1.3 <…>'],
  ['"dan@elsewhere.example"@hamburger.edu', '550 5.1.1 <…>'],
  ['"dan@elsewhere.example"', '501 5.1.3 <…>'],
  ['"bob@hamburger.edu"@elsewhere.example', '550 5.7.1 Relaying denied'],
  ['dan@elsewhere.example@hamburger.edu', '501 5.1.3 <…>'],
  ['bob@hamburger.edu@elsewhere.example', '501 5.1.3 <…>'],
  ['bob@hamburger.edu dan@elsewhere.example', '501 <…>'],
  ['bob@[127.0.0.1]', '550 5.7.1 Relaying denied'],
  ['bob@[192.0.2.1]', '550 5.7.1 Relaying denied'],
  ['bob@[IPv6:::1]', '550 5.7.1 Relaying denied'],
  ['bob@127.0.0.1', '55<…>'],
  ['bob@localhost', '55<…>'],
  ['bob@mail.hamburger.edu', '550 5.7.1 Relaying denied'],
  ['bob@sub.hamburger.edu', '550 5.7.1 Relaying denied'],
  ['bob@hamburger.edu.elsewhere.example', '550 5.7.1 Relaying denied'],
  ['dan%00@hamburger.edu', '550 5.1.1 <…>'],
  ['bob%00@elsewhere.example', '550 5.7.1 Relaying denied'],
  ['bob@hamburger.edu%00.elsewhere.example', '501 5.1.3 <…>'],
  ['bob@hamburger%2eedu', '501 5.1.3 <…>'],
  ['bob', '501 5.1.3 <…>'],
  ['', '501 5.1.3 <…>'],
  // Cyrillic а and е: another domain, and not ours.
  ['bob@h\u0430mburger.edu', '550 5.7.1 Relaying denied'],
  ['bob@hamburg\u0435r.edu', '550 5.7.1 Relaying denied'],
  // What would be mapped to ours, or to an address, is no U-label.
  ['bob@\uff48amburger.edu', '501 5.1.3 <…>'],
  ['bob@hamburger\u3002edu', '501 5.1.3 <…>'],
  ['bob@\uff11\uff12\uff17.0.0.1', '501 5.1.3 <…>'],
  ['bob@hamburger.ed\u200du', '501 5.1.3 <…>'],
] as const) {
  test(`<${JSON.stringify(path).slice(1, -1)}> is refused`, () =>
    replay(
      harness.endpoint,
      `${hello}
      C: ${utf8(`RCPT TO:<${path}>`)}
      S: ${reply}
      C: DATA
      S: 503 5.5.1 No valid recipients
    `,
    ))
}

for (const path of [
  'Postmaster',
  'postmaster@hamburger.edu',
  'POSTMASTER@HAMBURGER.EDU',
  'abuse@hamburger.edu',
  'postmaster@käse.example',
  'abuse@xn--kse-qla.example',
  'cheese@käse.example',
  'cheese@KÄSE.example',
  'cheese@xn--kse-qla.example',
  'cheese@XN--KSE-QLA.Example',
  '@anywhere.example:bob@hamburger.edu',
  '"bob"@hamburger.edu',
]) {
  test(`<${path}> is always taken`, () =>
    replay(
      harness.endpoint,
      `${hello}
      C: ${utf8(`RCPT TO:<${path}>`)}
      S: 250 2.1.5 Recipient ok
    `,
    ))
}

test('what was said in the clear does not count after STARTTLS, and what was pipelined behind it is forgotten', async () => {
  const plain = connect({ host: harness.endpoint.address, port: harness.endpoint.port })
  await new Promise((resolve) => plain.once('connect', resolve))
  let heard = ''
  plain.on('data', (chunk) => (heard += chunk.toString('latin1')))
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(heard)) await new Promise((resolve) => plain.once('data', resolve))
  }
  await until(/^220 /)
  plain.write(
    'EHLO crepes.fr\r\nMAIL FROM:<alice@crepes.fr>\r\nSTARTTLS\r\nRCPT TO:<bob@hamburger.edu>\r\nHELP\r\n',
  )
  await until(/^220 2\.0\.0 /m)
  plain.removeAllListeners('data')
  const secure = connectTls({ socket: plain, rejectUnauthorized: false })
  await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject))
  assert.doesNotMatch(heard, /^214/m)
  await replay(
    secure,
    `
    C: RCPT TO:<bob@hamburger.edu>
    S: 503 5.5.1 Say EHLO or HELO first
    C: DATA
    S: 503 5.5.1 Say EHLO or HELO first
    C: EHLO crepes.fr
    S: (…)
    C: RCPT TO:<bob@hamburger.edu>
    S: 503 5.5.1 Say MAIL first
    C: STARTTLS
    S: 503 5.5.1 TLS is up already
  `,
  )
})

test('nobody logs in in the clear, whichever way it is said', async () => {
  const own = await openSmtpDoor({ door: { role: 'submission', plaintext: 'never', tls: testTls() } })
  const plain = Buffer.from('\0bob\0hungry').toString('base64')
  try {
    await replay(
      own.endpoint,
      `
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO crepes.fr
      S: (…)
      C: AUTH PLAIN ${plain}
      S: 538 5.7.11 Say STARTTLS first: log-in needs TLS
      C: AUTH LOGIN
      S: 538 5.7.11 Say STARTTLS first: log-in needs TLS
      C: AUTH PLAIN
      S: 538 5.7.11 Say STARTTLS first: log-in needs TLS
      C: MAIL FROM:<bob@hamburger.edu> AUTH=bob@hamburger.edu
      S: 530 5.7.0 Authentication required
    `,
    )
  } finally {
    await own.close()
  }
})
