import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loggedIn, openLectureWorld, openWorld, play } from './pop3-world.ts'

test('CAPA before log-in names what can be done, RFC 2449 §5', () =>
  play(`
    S: +OK POP3 server ready
    C: CAPA
    S: +OK Capability list follows
    S: TOP
    S: UIDL
    S: USER
    S: SASL PLAIN LOGIN
    S: RESP-CODES
    S: AUTH-RESP-CODE
    S: PIPELINING
    S: EXPIRE NEVER
    S: IMPLEMENTATION Posthorn
    S: .
  `))

test('CAPA after log-in says the same', () =>
  play(`${loggedIn}
    C: capa
    S: +OK Capability list follows
    S: TOP
    S: UIDL
    S: USER
    S: SASL PLAIN LOGIN
    S: RESP-CODES
    S: AUTH-RESP-CODE
    S: PIPELINING
    S: EXPIRE NEVER
    S: IMPLEMENTATION Posthorn
    S: .
  `))

test('STAT, LIST and UIDL leave out what is marked as deleted, and RSET brings it back', () =>
  play(`${loggedIn}
    C: STAT
    S: +OK 2 1410
    C: DELE 1
    S: +OK message 1 deleted
    C: STAT
    S: +OK 1 912
    C: LIST
    S: +OK 1 messages (912 octets)
    S: 2 912
    S: .
    C: UIDL
    S: +OK
    S: 2 1700000000.2
    S: .
    C: LIST 1
    S: -ERR message 1 already deleted
    C: UIDL 1
    S: -ERR message 1 already deleted
    C: RETR 1
    S: -ERR message 1 already deleted
    C: TOP 1 0
    S: -ERR message 1 already deleted
    C: DELE 1
    S: -ERR message 1 already deleted
    C: RSET
    S: +OK maildrop has 2 messages (1410 octets)
    C: LIST 1
    S: +OK 1 498
    C: UIDL 2
    S: +OK 2 1700000000.2
    C: NOOP
    S: +OK
  `))

test('What was marked before RSET is not removed by QUIT', async () => {
  await using world = await openLectureWorld()
  await world.play(`${loggedIn}
    C: DELE 1
    S: +OK message 1 deleted
    C: RSET
    S: +OK maildrop has 2 messages (1410 octets)
    C: DELE 2
    S: +OK message 2 deleted
    C: QUIT
    S: +OK POP3 server signing off
  `)
  assert.deepEqual(
    world.mail.letters(1).map((letter) => letter.uid),
    [1],
  )
})

test('An empty maildrop is listed as such', async () => {
  await using world = await openWorld()
  await world.play(`${loggedIn}
    C: STAT
    S: +OK 0 0
    C: LIST
    S: +OK 0 messages (0 octets)
    S: .
    C: UIDL
    S: +OK
    S: .
    C: RETR 1
    S: -ERR no such message
  `)
})

test('Message-numbers of every kind, threats.md: numbers', () =>
  play(`${loggedIn}
    C: RETR 0
    S: -ERR no such message
    C: RETR 3
    S: -ERR no such message
    C: RETR 4294967297
    S: -ERR no such message
    C: RETR 18446744073709551617
    S: -ERR no such message
    C: RETR ${'9'.repeat(400)}
    S: -ERR no such message
    C: LIST 002
    S: +OK 2 912
    C-raw: "LIST 2 \\r\\n"
    S: +OK 2 912
    C: RETR
    S: -ERR Cannot read the number: expected digits
    C: RETR -1
    S: -ERR Cannot read the number: expected digits
    C: RETR +1
    S: -ERR Cannot read the number: expected digits
    C: RETR 1.0
    S: -ERR Cannot read the number: expected digits
    C: DELE 0x1
    S: -ERR Cannot read the number: expected digits
    C: DELE 1 2
    S: -ERR Cannot read the number: expected digits
    C: UIDL one
    S: -ERR Cannot read the number: expected digits
    C: LIST ,
    S: -ERR Cannot read the number: expected digits
    C: STAT
    S: +OK 2 1410
  `))

test('TOP sends the header, the empty line and so many lines', async () => {
  await using world = await openWorld()
  world.mail.add(1, 'Subject: x\r\n\r\none\r\n.two\r\nthree\r\n', { prefix: 'Received: here\r\n' })
  await world.play(`${loggedIn}
    C: TOP 1 0
    S: +OK
    S: Received: here
    S: Subject: x
    S:
    S: .
    C: TOP 1 2
    S: +OK
    S: Received: here
    S: Subject: x
    S:
    S: one
    S: ..two
    S: .
    C: TOP 1 99999999999999999999999
    S: +OK
    S: Received: here
    S: Subject: x
    S:
    S: one
    S: ..two
    S: three
    S: .
    C: TOP 1
    S: -ERR Cannot read TOP: expected a message and a number of lines
    C: TOP
    S: -ERR Cannot read TOP: expected a message and a number of lines
    C: TOP 1 1 1
    S: -ERR Cannot read TOP: expected a message and a number of lines
    C: TOP 1 -1
    S: -ERR Cannot read the number: expected digits
    C: TOP 9 1
    S: -ERR no such message
  `)
})

test('The size in LIST is prefix and body, and RETR sends exactly that, dots stuffed', async () => {
  await using world = await openWorld()
  world.mail.add(1, '.\r\n..\r\na.\r\n.b\r\n', { prefix: 'Received: here\r\n\r\n' })
  await world.play(`${loggedIn}
    C: LIST 1
    S: +OK 1 33
    C: RETR 1
    S: +OK 33 octets
    S: Received: here
    S:
    S: ..
    S: ...
    S: a.
    S: ..b
    S: .
  `)
})

test("The lecture's letter without a header comes after an empty line", async () => {
  await using world = await openWorld()
  const body = 'Do you like ketchup?\r\nHow about pickles?\r\n'
  world.mail.add(1, body, { prefix: 'Return-Path: <alice@crepes.fr>\r\n\r\n' })
  await world.play(`${loggedIn}
    C: TOP 1 1
    S: +OK
    S: Return-Path: <alice@crepes.fr>
    S:
    S: Do you like ketchup?
    S: .
  `)
})

test('A message that does not end with CRLF gets one, or its end would be lost', async () => {
  await using world = await openWorld()
  for (const body of ['Subject: x\r\n\r\nend', 'Subject: x\r\n\r\nend\n', '']) world.mail.add(1, body)
  await world.play(`${loggedIn}
    C: RETR 1
    S: +OK 17 octets
    S: Subject: x
    S:
    S: end
    S: .
    C: RETR 3
    S: +OK 0 octets
    S: .
    C: NOOP
    S: +OK
  `)
})

test('Commands out of order are refused and change nothing', () =>
  play(`
    S: +OK POP3 server ready
    C: STAT
    S: -ERR Log in first
    C: RETR 1
    S: -ERR Log in first
    C: NOOP
    S: -ERR Log in first
    C: PASS hungry
    S: -ERR Say USER first
    C: USER bob
    S: +OK
    C: NOOP
    S: -ERR Log in first
    C: PASS hungry
    S: -ERR Say USER first
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
    C: USER bob
    S: -ERR Not after log-in
    C: PASS hungry
    S: -ERR Not after log-in
    C: AUTH PLAIN
    S: -ERR Not after log-in
    C: STLS
    S: -ERR Not after log-in
    C: STAT
    S: +OK 2 1410
  `))

test('What is no command is refused, and said so', () =>
  play(`
    S: +OK POP3 server ready
    C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
    S: -ERR Command not recognized
    C: XTND XMIT
    S: -ERR Command not recognized
    C:
    S: -ERR Cannot read the line: expected a command
    C: QUITE
    S: -ERR Cannot read the line: expected a command
    C: GET / HTTP/1.1
    S: -ERR Command not recognized
    C-raw: "NOOP\\u0000\\r\\n"
    S: -ERR Cannot read the line: it has control characters
    C-raw: "USER bob\\rPASS hungry\\r\\n"
    S: -ERR Cannot read the line: it has control characters
    C: QUIT now
    S: -ERR Cannot read the command: it takes no argument
    C: QUIT
    S: +OK POP3 server signing off
    S: (closed)
  `))

test('After too many errors the connection is closed', () =>
  play(
    `
    S: +OK POP3 server ready
    C: FOO
    S: -ERR Command not recognized
    C: BAR
    S: -ERR Command not recognized
    C: BAZ
    S: -ERR Too many errors, closing connection
    S: (closed)
  `,
    { limits: { errorsPerSession: 3 } },
  ))

test('After log-in only errors in a row count', () =>
  play(
    `
    S: +OK POP3 server ready
    C: FOO
    S: -ERR Command not recognized
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
    C: FOO
    S: -ERR Command not recognized
    C: NOOP
    S: +OK
    C: FOO
    S: -ERR Command not recognized
    C: BAR
    S: -ERR Too many errors, closing connection
    S: (closed)
  `,
    { limits: { errorsPerSession: 2 } },
  ))

test('To ask for messages that are not there is no error of that kind', () =>
  play(
    `${loggedIn}
    C: LIST 3
    S: -ERR no such message
    C: LIST 4
    S: -ERR no such message
    C: LIST 5
    S: -ERR no such message
    C: LIST 1
    S: +OK 1 498
  `,
    { limits: { errorsPerSession: 2 } },
  ))

test('A line over the limit is refused once, and the next one is read', () =>
  play(`
    S: +OK POP3 server ready
    C: USER ${'x'.repeat(5_000)}
    S: -ERR Line is too long
    C: USER bob
    S: +OK
    C: PASS ${'x'.repeat(2_048)}
    S: -ERR Line is too long
    C: PASS hungry
    S: +OK user successfully logged on
  `))

test('A bare LF ends the connection, with the remedy', () =>
  play(`
    S: +OK POP3 server ready
    C-raw: "USER bob\\nPASS hungry\\n"
    S: -ERR Lines end with CRLF (try nc -C)
    S: (closed)
  `))
