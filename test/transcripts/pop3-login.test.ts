import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { speakOver, speakTo } from '../harness/replay.ts'
import { loggedIn, openLectureWorld, play } from './pop3-world.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('After a wrong password USER comes first again', () =>
  play(`
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS thirsty
    S: -ERR [AUTH] Login or password is wrong
    C: PASS hungry
    S: -ERR Say USER first
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
  `))

test('An unknown user hears the same as a wrong password', () =>
  play(`
    S: +OK POP3 server ready
    C: USER nobody
    S: +OK
    C: PASS hungry
    S: -ERR [AUTH] Login or password is wrong
  `))

test('The third failed log-in closes the connection', () =>
  play(`
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS a
    S: -ERR [AUTH] Login or password is wrong
    C: USER bob
    S: +OK
    C: PASS b
    S: -ERR [AUTH] Login or password is wrong
    C: AUTH PLAIN ${base64('\0bob\0c')}
    S: -ERR [AUTH] Login or password is wrong
    S: (closed)
  `))

test('Spaces belong to the password, RFC 1939 §7', () =>
  play(`
    S: +OK POP3 server ready
    C: USER mrose
    S: +OK
    C-raw: "PASS  two  words \\r\\n"
    S: +OK user successfully logged on
  `))

test('Name and password are UTF-8', () =>
  play(`
    S: +OK POP3 server ready
    C-raw: "USER j\\u00c3\\u00bcrgen\\r\\n"
    S: +OK
    C: PASS hungrig
    S: +OK user successfully logged on
  `))

test('What is not UTF-8 is nobody', () =>
  play(`
    S: +OK POP3 server ready
    C-raw: "USER j\\u00fcrgen\\r\\n"
    S: +OK
    C: PASS hungrig
    S: -ERR [AUTH] Login or password is wrong
  `))

test('A log-in that cannot be judged now is temporary', () =>
  play(`
    S: +OK POP3 server ready
    C: USER busy
    S: +OK
    C: PASS hungry
    S: -ERR [SYS/TEMP] Log-in is not possible at the moment, try again later
  `))

test('AUTH PLAIN with an initial response', () =>
  play(`
    S: +OK POP3 server ready
    C: auth plain ${base64('\0bob\0hungry')}
    S: +OK user successfully logged on
    C: STAT
    S: +OK 2 1410
  `))

test('AUTH PLAIN with a challenge of no octets', () =>
  play(`
    S: +OK POP3 server ready
    C: AUTH PLAIN
    S: +<…>
    C: ${base64('\0bob@hamburger.edu\0hungry')}
    S: +OK user successfully logged on
  `))

test('AUTH LOGIN asks for name and password', () =>
  play(`
    S: +OK POP3 server ready
    C: AUTH LOGIN
    S: + VXNlcm5hbWU6
    C: ${base64('bob')}
    S: + UGFzc3dvcmQ6
    C: ${base64('hungry')}
    S: +OK user successfully logged on
  `))

test('AUTH alone lists the mechanisms', () =>
  play(`
    S: +OK POP3 server ready
    C: AUTH
    S: +OK
    S: PLAIN
    S: LOGIN
    S: .
  `))

test('AUTH that goes wrong ends where it began', () =>
  play(`
    S: +OK POP3 server ready
    C: AUTH CRAM-MD5
    S: -ERR This mechanism is not offered
    C: AUTH PLAIN =
    S: -ERR Cannot read AUTH: expected two NULs in PLAIN
    C: AUTH PLAIN ?
    S: -ERR Cannot read AUTH: this is no base64
    C: AUTH PLAIN AAAA AAAA
    S: -ERR Cannot read AUTH: expected a mechanism and one response
    C: AUTH LOGIN
    S: + VXNlcm5hbWU6
    C: *
    S: -ERR Log-in cancelled
    C: AUTH LOGIN
    S: + VXNlcm5hbWU6
    C: QUIT
    S: + UGFzc3dvcmQ6
    C: not base64
    S: -ERR Cannot read the response: this is no base64
    C: AUTH LOGIN
    S: + VXNlcm5hbWU6
    C: ${'A'.repeat(12_292)}
    S: -ERR Line is too long
    C: AUTH PLAIN ${base64('jürgen\0bob\0hungry')}
    S: -ERR [AUTH] Login or password is wrong
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
  `))

test('Without TLS no password is heard where the configuration says never', async () => {
  await using world = await openLectureWorld({ plaintext: 'never' })
  await world.play(`
    S: +OK POP3 server ready
    C: CAPA
    S: +OK Capability list follows
    S: TOP
    S: UIDL
    S: RESP-CODES
    S: AUTH-RESP-CODE
    S: PIPELINING
    S: EXPIRE NEVER
    S: IMPLEMENTATION Posthorn
    S: .
    C: USER bob
    S: -ERR [SYS/PERM] Log-in needs TLS
    C: PASS hungry
    S: -ERR [SYS/PERM] Log-in needs TLS
    C: AUTH PLAIN ${base64('\0bob\0hungry')}
    S: -ERR [SYS/PERM] Log-in needs TLS
    C: AUTH LOGIN
    S: -ERR [SYS/PERM] Log-in needs TLS
  `)
  assert.equal(world.authenticator.attempts, 0)
})

test('A maildrop is free as soon as the server has ended the session', async () => {
  await using world = await openLectureWorld({ limits: { errorsPerSession: 1 } })
  await using another = await openLectureWorld({ locks: world.options.locks, store: world.options.store })
  for (const mistake of ['FOO\r\n', 'NOOP\n']) {
    // A client that does not close its side when ours has ended.
    const { address: host, port } = world.endpoint
    const socket = connect({ host, port, allowHalfOpen: true })
    const ended = speakOver(socket)
    await ended.expect('+OK POP3 server ready')
    ended.send('USER bob\r\nPASS hungry\r\n')
    await ended.expect('+OK')
    await ended.expect('+OK user successfully logged on')
    ended.send(mistake)
    await ended.expect('-ERR <…>')
    assert.equal(socket.destroyed, false)
    await another.play(`
      S: +OK POP3 server ready
      C: USER bob
      S: +OK
      C: PASS hungry
      S: +OK user successfully logged on
      C: QUIT
      S: +OK POP3 server signing off
    `)
    socket.destroy()
  }
})

test('A maildrop is open once, and free as soon as QUIT is answered', async () => {
  await using world = await openLectureWorld()
  await using another = await openLectureWorld({ locks: world.options.locks, store: world.options.store })
  const first = await speakTo(world.endpoint)
  await first.expect('+OK POP3 server ready')
  first.send('USER bob\r\nPASS hungry\r\n')
  await first.expect('+OK')
  await first.expect('+OK user successfully logged on')
  const refused = `
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS hungry
    S: -ERR [IN-USE] Another POP3 session has this maildrop open
    C: AUTH PLAIN ${base64('\0bob\0hungry')}
    S: -ERR [IN-USE] Another POP3 session has this maildrop open
    C: USER bob
    S: +OK
    C: PASS wrong
    S: -ERR [AUTH] Login or password is wrong
    C: USER mrose
    S: +OK
    C-raw: "PASS  two  words \\r\\n"
    S: +OK user successfully logged on
    C: QUIT
    S: +OK POP3 server signing off
  `
  await world.play(refused)
  await another.play(refused)
  first.send('QUIT\r\n')
  await first.expect('+OK POP3 server signing off')
  await another.play(loggedIn)
  first.socket.destroy()
})
