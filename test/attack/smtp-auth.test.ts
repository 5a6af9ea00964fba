/** Log-in and TLS: what is guessed, injected, stripped, cancelled or said in the wrong place. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { Authenticator, LoginAttempt } from '../../src/auth/authenticator.ts'
import { dummyHash, hashPassword, isPassword } from '../../src/auth/password-hash.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { testTls } from '../transcripts/pop3-world.ts'
import { Attacker, attack } from './client.ts'
import { attackDoor, type Case, codesOf, hello, logIn, mail, plain, quit, rcpt } from './case.ts'

const own = 'MAIL FROM:<bob@hamburger.edu>\r\nRCPT TO:<carol@hamburger.edu>\r\n'
const begun = (id: string, argument: string, code: number, what = `AUTH ${argument.slice(0, 40)}`): Case => ({
  ...{ id, what },
  // Whatever became of it, nobody is logged in.
  send: `${hello}AUTH ${argument}\r\n${own}${quit}`,
  codes: `220 250 ${code} 530 503 221`,
})
/** `line` answers the challenge. */
const challenged = (id: string, what: string, line: string, code: number): Case => ({
  ...{ id, what },
  send: `${hello}AUTH PLAIN\r\n${line}\r\n${own}${quit}`,
  codes: `220 250 334 ${code} 530 503 221`,
})
const base64 = (octets: string): string => Buffer.from(octets, 'latin1').toString('base64')

attackDoor('Log-in', { door: { role: 'submission' }, limits: { loginFailuresPerSession: 10 } }, [
  begun('AUTH-01', '', 501),
  begun('AUTH-02', 'PLAIN !!!!', 501),
  begun('AUTH-03', `PLAIN ${plain('bob', 'hungry').replace(/.$/, '')}`, 501, 'base64 without its end'),
  begun('AUTH-04', `PLAIN ${plain('bob', 'hungry')} more`, 501, 'something behind the response'),
  begun('AUTH-05', `PLAIN ${base64('bob\0hungry')}`, 501, 'PLAIN of two parts'),
  begun('AUTH-06', `PLAIN ${base64('\0bob\0hungry\0')}`, 501, 'PLAIN of four parts'),
  begun('AUTH-07', `PLAIN ${base64('\0bob\r\n\0hungry')}`, 501, 'a line end in the login'),
  begun('AUTH-08', `PLAIN ${base64('\0bob\0hungry\r\nMAIL')}`, 501, 'a line end in the password'),
  begun('AUTH-09', `PLAIN ${base64('\0\xff\xfe\0hungry')}`, 501, 'a login that is no UTF-8'),
  begun('AUTH-10', `PLAIN ${base64(`\0${'a'.repeat(1_100)}\0b`)}`, 501, 'a login of a thousand octets'),
  begun('AUTH-11', `PLAIN ${plain('bob', 'hungry', 'carol')}`, 535, 'as carol with the password of bob'),
  begun('AUTH-12', `PLAIN ${plain('bob', 'hungry', 'carol@hamburger.edu')}`, 535, 'the same with an address'),
  begun('AUTH-13', `PLAIN ${plain('carol', '')}`, 501, 'an account without a password, with none'),
  begun('AUTH-14', `PLAIN ${plain('carol', 'null')}`, 535, 'an account without a password, with one'),
  begun(
    'AUTH-15',
    `PLAIN ${plain('cooks', 'hungry')}`,
    535,
    'an alias with the password of who is behind it',
  ),
  begun('AUTH-16', `PLAIN ${plain('bob@elsewhere.example', 'hungry')}`, 535, 'the same name elsewhere'),
  begun('AUTH-17', 'EXTERNAL =', 504, 'EXTERNAL without a certificate'),
  begun('AUTH-18', `EXTERNAL ${base64('bob@hamburger.edu')}`, 504, 'EXTERNAL as bob without a certificate'),
  begun('AUTH-19', 'ANONYMOUS', 504),
  begun('AUTH-20', 'CRAM-MD5', 504),
  begun('AUTH-21', '__proto__', 504),
  begun('AUTH-22', 'PLAIN\0', 504),
  challenged('AUTH-23', 'a log-in is cancelled', '*', 501),
  challenged('AUTH-24', 'an answer of nothing', '', 501),
  challenged('AUTH-25', 'a command in place of an answer is none', 'NOOP', 501),
  challenged('AUTH-26', 'an answer of 20,000 octets', 'A'.repeat(20_000), 500),
  challenged('AUTH-27', 'a star and more', '* ', 501),
  challenged('AUTH-28', 'HTTP in place of an answer', 'GET / HTTP/1.1', 501),
  {
    id: 'AUTH-29',
    what: 'a cancelled LOGIN leaves nothing for the next one',
    send: `${hello}AUTH LOGIN ${base64('bob')}\r\n*\r\nAUTH LOGIN\r\n${base64('carol')}\r\n${base64('hungry')}\r\n${own}${quit}`,
    codes: '220 250 334 501 334 334 535 530 503 221',
  },
  {
    id: 'AUTH-30',
    what: 'twice: who has logged in stays who he is',
    send: `${logIn}AUTH PLAIN ${plain('carol', 'x')}\r\nMAIL FROM:<carol@hamburger.edu>\r\n${quit}`,
    codes: '220 250 235 503 550 221',
  },
  {
    id: 'AUTH-31',
    what: 'after MAIL',
    send: `${logIn}MAIL FROM:<bob@hamburger.edu>\r\nAUTH PLAIN ${plain('bob', 'hungry')}\r\n${quit}`,
    codes: '220 250 235 250 503 221',
  },
  {
    id: 'AUTH-32',
    what: 'before EHLO',
    send: `AUTH PLAIN ${plain('bob', 'hungry')}\r\n${hello}${own}${quit}`,
    codes: '220 503 250 530 503 221',
  },
  {
    id: 'AUTH-33',
    what: 'the words for an unknown login and for a wrong password are the same',
    send: `${hello}AUTH PLAIN ${plain('nobody', 'x')}\r\nAUTH PLAIN ${plain('bob', 'x')}\r\nAUTH PLAIN ${plain('carol', 'x')}\r\n${quit}`,
    codes: '220 250 535 535 535 221',
    heard: /(\r\n535 [^\r\n]*)\1\1\r\n221/,
  },
  {
    id: 'AUTH-34',
    what: 'RCPT, DATA and BDAT without a log-in',
    send: `${hello}${rcpt}DATA\r\nBDAT 4 LAST\r\nNOOP${quit}`,
    codes: '220 250 503 503 503 221',
  },
])

attackDoor('Log-in where there is none', { door: { plaintext: 'never' } }, [
  {
    id: 'AUTH-35',
    what: 'port 25 knows no log-in',
    send: `${hello}AUTH PLAIN ${plain('bob', 'hungry')}\r\n${quit}`,
    codes: '220 250 502 221',
    nowhere: /AUTH PLAIN/,
  },
])

attackDoor('Log-in in the clear', { door: { role: 'submission', plaintext: 'never', tls: testTls() } }, [
  {
    id: 'TLS-01',
    what: 'is neither offered nor taken, and the password is not looked at',
    send: `${hello}AUTH PLAIN ${plain('bob', 'hungry')}\r\n${own}${quit}`,
    codes: '220 250 538 530 503 221',
    nowhere: /250[ -]AUTH/,
  },
  {
    id: 'TLS-02',
    what: 'STARTTLS with an argument',
    send: `${hello}STARTTLS now\r\n${quit}`,
    codes: '220 250 501 221',
  },
  { id: 'TLS-03', what: 'STARTTLS before EHLO', send: `STARTTLS\r\n${quit}`, codes: '220 503 221' },
  {
    id: 'TLS-04',
    what: 'a transaction, an AUTH and a BDAT pipelined behind STARTTLS are never answered',
    // The handshake fails on what stands in its place, or nothing of it is left.
    send: [
      `${hello}STARTTLS\r\n${mail}${rcpt}BDAT 4 LAST\r\nevilAUTH PLAIN ${plain('bob', 'hungry')}\r\n`,
      3,
      'NOOP\r\n',
    ],
    codes: '220 250 220',
  },
])

test('TLS-05 what was said before STARTTLS does not count behind it: EHLO, MAIL, RCPT', async (t) => {
  const door = await openSmtpDoor({ door: { tls: testTls() } })
  t.after(() => door.close())
  const clear = await attack(door.endpoint)
  await clear.until(/^220 .*\r\n/)
  for (const command of [
    'EHLO evil.example',
    'MAIL FROM:<evil@x.example>',
    'RCPT TO:<bob@hamburger.edu>',
    'STARTTLS',
  ])
    assert.match(await clear.ask(command), /^2/)
  clear.socket.removeAllListeners('data')
  const tls = connectTls({ socket: clear.socket, rejectUnauthorized: false })
  await once(tls, 'secureConnect')
  const one = new Attacker(tls)
  t.after(() => tls.destroy())
  for (const command of ['DATA', 'RCPT TO:<bob@hamburger.edu>', 'BDAT 0 LAST', 'MAIL FROM:<a@b.example>'])
    assert.match(await one.ask(command), /^503 /)
  assert.match(await one.ask('EHLO good.example'), /^250/)
  assert.match(await one.ask('STARTTLS'), /^503 /)
  assert.deepEqual(await door.inbox('bob@hamburger.edu'), [])
})

test('TLS-06 a reply is never said twice over the change to TLS, nor one from before it', async (t) => {
  const door = await openSmtpDoor({ door: { tls: testTls() } })
  t.after(() => door.close())
  const clear = await attack(door.endpoint)
  // In one write: RSET is answered, STARTTLS is answered, NOOP is forgotten.
  clear.send(`${hello}RSET\r\nSTARTTLS\r\nNOOP\r\n`)
  const heard = await clear.until(/220 2\.0\.0 [^\r]*\r\n/)
  assert.equal(codesOf(heard).join(' '), '220 250 250 220')
  clear.socket.removeAllListeners('data')
  const tls = connectTls({ socket: clear.socket, rejectUnauthorized: false })
  await once(tls, 'secureConnect')
  const one = new Attacker(tls)
  t.after(() => tls.destroy())
  assert.match(await one.ask('QUIT'), /^221 /)
  assert.equal(await one.rest(), '')
})

/** Counts what a guess costs: how often a password is compared, and with whose hash. */
test('AUTH-36 a guess for nobody costs as much hashing as one for somebody', async () => {
  const real = await hashPassword('hungry')
  const dummy = dummyHash(systemRandom)
  const cost = (phc: string): string => phc.split('$').slice(0, 4).join('$')
  assert.equal(cost(dummy), cost(real))
  assert.equal(await isPassword(dummy, 'hungry'), false)
})

test('AUTH-37 guesses on twenty connections at once are all counted, and bob still logs in', async (t) => {
  const door = await openSmtpDoor({
    door: { role: 'submission' },
    limits: { loginFailuresPerSession: 100, connectionsPerAddress: 100 },
  })
  t.after(() => door.close())
  const all = await Promise.all(Array.from({ length: 20 }, () => attack(door.endpoint)))
  t.after(() => {
    for (const one of all) one.socket.destroy()
  })
  for (const [index, one] of all.entries())
    one.send(`${hello}AUTH PLAIN ${plain('bob', `guess ${index}`)}\r\n${quit}`)
  const heard = await Promise.all(all.map((one) => one.rest(30_000)))
  const codes = heard.map((text) => codesOf(text)[2])
  // Ten are compared; the others are told to come again, however right they might have been.
  assert.equal(codes.filter((code) => code === '535').length, 10)
  assert.equal(codes.filter((code) => code === '454').length, 10)
})

/** What the door asks of whoever judges. */
test('AUTH-38 what a client says of itself does not reach the judge as somebody else’s word', async (t) => {
  const seen: LoginAttempt[] = []
  const authenticator: Authenticator = {
    verify: (attempt) => {
      seen.push(attempt)
      return Promise.resolve({ kind: 'refused' })
    },
  } as Authenticator
  const door = await openSmtpDoor({ door: { role: 'submission', authenticator } })
  t.after(() => door.close())
  const one = await attack(door.endpoint)
  one.send(`${hello}AUTH PLAIN ${plain('bob', 'x')}\r\n${quit}`)
  await one.rest()
  assert.deepEqual(seen, [
    { authorisationId: '', login: 'bob', password: 'x', remoteAddress: '127.0.0.1', protocol: 'smtp' },
  ])
})
