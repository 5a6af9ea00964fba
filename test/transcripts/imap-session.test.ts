/** Conversations with the IMAP door about sessions: log-in, states, mailboxes selected. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { ServerTls } from '../../src/tls/server-tls.ts'
import { makeSelfSigned } from '../../src/tls/certificate.ts'
import { createServerTls } from '../../src/tls/server-tls.ts'
import { systemRandom } from '../../src/base/random.ts'
import { speakTo } from '../harness/replay.ts'
import { openImapWorld, loggedIn, selected, type ImapWorld, type WorldOptions } from './imap-world.ts'

async function withWorld(
  work: (world: ImapWorld) => Promise<void>,
  options: WorldOptions = {},
): Promise<void> {
  const world = await openImapWorld(options)
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

test('RFC 3501 §8: the sample connection', () =>
  withWorld(async (world) => {
    const body = [
      'Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
      'From: Terry Gray <gray@cac.washington.edu>',
      'Subject: IMAP4rev1 WG mtg summary and minutes',
      'To: imap@cac.washington.edu',
      'cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>',
      'Message-Id: <B27397-0100000@cac.washington.edu>',
      'MIME-Version: 1.0',
      'Content-Type: TEXT/PLAIN; CHARSET=US-ASCII',
      '',
      'hello',
      '',
    ].join('\r\n')
    await world.deliver('Subject: one\r\n\r\n1\r\n', { flags: 1 })
    await world.deliver(body, { internalDate: Date.UTC(1996, 6, 17, 9, 44, 25), flags: 1 })
    await world.play(`
      S: * OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN AUTH=LOGIN] mail.hamburger.edu IMAP ready
      C: a001 login bob hungry
      S: a001 OK [CAPABILITY IMAP4rev1 <…>] Logged in
      C: a002 select inbox
      S: * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)
      S: * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft \\*)] Flags that are kept
      S: * 2 EXISTS
      S: * 0 RECENT
      S: * OK [UIDVALIDITY <…>] UIDs hold
      S: * OK [UIDNEXT 3] Next UID
      S: a002 OK [READ-WRITE] Opened
      C: a003 fetch 2 full
      S: * 2 FETCH (FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 349 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>") BODY ("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 7 1))
      S: a003 OK Fetched
      C: a004 fetch 2 body[header]
      S: * 2 FETCH (BODY[HEADER] {342}
      S: Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
      S: From: Terry Gray <gray@cac.washington.edu>
      S: Subject: IMAP4rev1 WG mtg summary and minutes
      S: To: imap@cac.washington.edu
      S: cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
      S: Message-Id: <B27397-0100000@cac.washington.edu>
      S: MIME-Version: 1.0
      S: Content-Type: TEXT/PLAIN; CHARSET=US-ASCII
      S:
      S: )
      S: a004 OK Fetched
      C: a005 store 2 +flags \\deleted
      S: * 2 FETCH (FLAGS (\\Seen \\Deleted))
      S: a005 OK Stored
      C: a006 logout
      S: * BYE mail.hamburger.edu closing connection
      S: a006 OK Goodbye
      S: (closed)
    `)
  }))

test('A mailbox that is empty can be selected', () => withWorld((world) => world.play(selected(0))))

test('Nothing but log-in is possible before log-in', () =>
  withWorld((world) =>
    world.play(`
      S: * OK <…>
      C: a SELECT INBOX
      S: a BAD Log in first
      C: b FETCH 1 FLAGS
      S: b BAD Log in first
      ${loggedIn.replace('S: * OK <…>', '')}
      C: c LOGIN bob hungry
      S: c BAD You are logged in already
      C: d FETCH 1 FLAGS
      S: d BAD No mailbox is selected
    `),
  ))

let made: ServerTls | null = null
function testTls(): ServerTls {
  const hostnames = ['mail.hamburger.edu']
  made ??= createServerTls(makeSelfSigned({ hostnames }, { nowMs: Date.now(), random: systemRandom }))
  return made
}

test('Without TLS no password is taken, and LOGINDISABLED says so', () =>
  withWorld(
    (world) =>
      world.play(`
        S: * OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE STARTTLS LOGINDISABLED] <…>
        C: a LOGIN bob hungry
        S: a NO [PRIVACYREQUIRED] Say STARTTLS first: log-in needs TLS
        C: b AUTHENTICATE PLAIN AGJvYgBodW5ncnk=
        S: b NO [PRIVACYREQUIRED] Say STARTTLS first: log-in needs TLS
      `),
    { door: { plaintext: 'never', tls: testTls() } },
  ))

test('STARTTLS: what was pipelined in the clear is forgotten, and log-in is possible after it', () =>
  withWorld(
    async (world) => {
      const speaker = await speakTo(world.endpoint)
      await speaker.expect('* OK <…>')
      // CVE-2011-0411: the injected command must never be answered.
      speaker.send('a STARTTLS\r\nb NOOP\r\n')
      await speaker.expect('a OK Begin TLS now')
      speaker.socket.removeAllListeners('data')
      const secure = connectTls({ socket: speaker.socket, rejectUnauthorized: false })
      await once(secure, 'secureConnect')
      secure.write('c CAPABILITY\r\nd LOGIN bob hungry\r\ne STARTTLS\r\nf LOGOUT\r\n')
      let received = ''
      for await (const chunk of secure) received += String(chunk)
      assert.doesNotMatch(received, /^b /m)
      assert.match(
        received,
        /^\* CAPABILITY IMAP4rev1 LITERAL\+ SASL-IR ID ENABLE AUTH=PLAIN AUTH=LOGIN\r\nc OK/,
      )
      assert.match(received, /^d OK/m)
      assert.match(received, /^e BAD/m)
      assert.match(received, /^f OK/m)
    },
    { door: { plaintext: 'never', tls: testTls() } },
  ))

test('AUTHENTICATE by every way RFC 3501 and RFC 4959 know', () =>
  withWorld((world) =>
    world.play(`
      S: * OK <…>
      C: a AUTHENTICATE PLAIN AGJvYgBodW5ncnk=
      S: a OK [CAPABILITY IMAP4rev1 <…>] Logged in
      S2: * OK <…>
      C2: a AUTHENTICATE PLAIN
      S2: +<…>
      C2: AGJvYgBodW5ncnk=
      S2: a OK <…>
      S3: * OK <…>
      C3: a AUTHENTICATE LOGIN
      S3: + VXNlcm5hbWU6
      C3: Ym9i
      S3: + UGFzc3dvcmQ6
      C3: aHVuZ3J5
      S3: a OK <…>
      S4: * OK <…>
      C4: a AUTHENTICATE PLAIN
      S4: +<…>
      C4: *
      S4: a BAD Log-in cancelled
      C4: b AUTHENTICATE PLAIN !
      S4: b BAD <…>
      C4: c AUTHENTICATE PLAIN
      S4: +<…>
      C4: not base64
      S4: c BAD <…>
      C4: d AUTHENTICATE FROBNICATE
      S4: d NO [CANNOT] This mechanism is not offered
      C4: e LOGIN {3}
      S4: + Go ahead
      C4: bob {6}
      S4: + Go ahead
      C4: hungry
      S4: e OK <…>
    `),
  ))

test('Three wrong passwords end the connection; trouble of ours does not count', () =>
  withWorld((world) =>
    world.play(`
      S: * OK <…>
      C: x LOGIN busy hungry
      S: x NO [UNAVAILABLE] <…>
      C: a LOGIN bob wrong
      S: a NO [AUTHENTICATIONFAILED] Login or password is wrong
      C: b LOGIN nobody wrong
      S: b NO [AUTHENTICATIONFAILED] Login or password is wrong
      C: c AUTHENTICATE PLAIN AGJvYgB3cm9uZw==
      S: * BYE Too many failed log-ins
      S: c NO [AUTHENTICATIONFAILED] Login or password is wrong
      S: (closed)
    `),
  ))

test('An account has no more sessions than it may have', () =>
  withWorld(
    (world) =>
      world.play(`
        ${loggedIn}
        S2: * OK <…>
        C2: a LOGIN bob hungry
        S2: a NO [LIMIT] Too many sessions of this account
        C: b LOGOUT
        S: * BYE <…>
        S: b OK Goodbye
        S: (closed)
        C2: c LOGIN bob hungry
        S2: c OK <…>
      `),
    { limits: { connectionsPerAccount: 1 } },
  ))

test('IDLE tells arrivals, flags and removals as they come', () =>
  withWorld(async (world) => {
    await world.deliver('Subject: one\r\n\r\n1\r\n')
    await world.play(`
      ${selected(1)}
      C: i IDLE
      S: + idling
      S2: * OK <…>
      C2: a LOGIN bob hungry
      S2: a OK <…>
      C2: b APPEND INBOX {3+}
      C2: abc
      S2: b OK <…>
      S: * 2 EXISTS
      S: * 2 RECENT
      C2: c SELECT INBOX
      S2: * FLAGS <…>
      S2: * OK <…>
      S2: * 2 EXISTS
      S2: * 0 RECENT
      S2: * OK [UNSEEN 1] <…>
      S2: * OK <…>
      S2: * OK <…>
      S2: c OK <…>
      C2: d STORE 1 +FLAGS.SILENT (\\Deleted)
      S2: d OK Stored
      S: * 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent))
      C2: e EXPUNGE
      S2: * 1 EXPUNGE
      S2: e OK Expunged
      S: * 1 EXPUNGE
      C: DONE
      S: i OK Idled
      C: j IDLE
      S: + idling
      C: j NOOP
      S: j BAD Expected DONE
    `)
  }))

test('RFC 3501 §7.4.1: no message is told to be gone behind FETCH, STORE or SEARCH by numbers', () =>
  withWorld(async (world) => {
    for (const subject of ['1', '2', '3', '4']) await world.deliver(`Subject: ${subject}\r\n\r\n`)
    await world.play(`
      ${selected(4)}
      S2: * OK <…>
      C2: a LOGIN bob hungry
      S2: a OK <…>
      C2: b SELECT INBOX
      S2: * FLAGS <…>
      S2: * OK <…>
      S2: * 4 EXISTS
      S2: * 0 RECENT
      S2: * OK <…>
      S2: * OK <…>
      S2: * OK <…>
      S2: b OK <…>
      C2: c STORE 2:3 +FLAGS.SILENT (\\Deleted)
      S2: c OK Stored
      C2: d EXPUNGE
      S2: * 3 EXPUNGE
      S2: * 2 EXPUNGE
      S2: d OK Expunged
      C2: e APPEND INBOX {3+}
      C2: abc
      S2: * 3 EXISTS
      S2: * 1 RECENT
      S2: e OK <…>
      C: a FETCH 1:* UID
      S: * 1 FETCH (UID 1)
      S: * 4 FETCH (UID 4)
      S: * 5 EXISTS
      S: * 4 RECENT
      S: a NO [EXPUNGEISSUED] Some messages are gone
      C: b SEARCH ALL
      S: * SEARCH 1 4 5
      S: b OK Searched
      C: c STORE 4 +FLAGS (\\Flagged)
      S: * 4 FETCH (FLAGS (\\Flagged \\Recent))
      S: c OK Stored
      C: d UID SEARCH UID 4:5
      S: * SEARCH 4 5
      S: * 3 EXPUNGE
      S: * 2 EXPUNGE
      S: d OK Searched
      C: f FETCH 2 UID
      S: * 2 FETCH (UID 4)
      S: f OK Fetched
      C2: g NOOP
      S2: * 2 FETCH (UID 4 FLAGS (\\Flagged))
      S2: g OK Nothing done
    `)
  }))

test('A refusal never lets the octets of a literal run as commands', () =>
  withWorld(
    (world) =>
      world.play(`
        S: * OK <…>
        C: a LOGIN {20+}
        C: x LOGOUT
        C: y LOGOUT!! {12+}
        C: z LOGOUT
        C:
        C:
        C: b NOOP
        S: a BAD [TOOBIG] Literal is too large
        S: b OK Nothing done
        C: c LOGIN {20}
        S: c BAD [TOOBIG] Literal is too large
        C: d FROBNICATE {8+}
        C: x LOGOUT y
        S: d BAD Command not recognized
        C: e APPEND INBOX {8+}
        C: x LOGOUT
        S: e BAD Log in first
        C: ${'f NOOP '.padEnd(300, 'x')} {10+}
        C: x LOGOUT
        C:
        S: f BAD [TOOBIG] Line is too long
        C: g NOOP
        S: g OK Nothing done
        C: h LOGIN {999999999+}
        S: * BYE [TOOBIG] Literal is too large
        S: (closed)
      `),
    { limits: { imapEarlyLiteralOctets: 10, imapLineOctets: 200 } },
  ))

test('A message over the bound is refused, before it comes or behind it', () =>
  withWorld(
    (world) =>
      world.play(`
        ${loggedIn}
        C: a APPEND INBOX {1001}
        S: a NO [TOOBIG] Message is too large
        C: b APPEND INBOX {1001+}
        S: * BYE [TOOBIG] Literal is too large
        S: (closed)
      `),
    { limits: { submissionOctets: 1000 } },
  ))

test('Lines end with CRLF, and whoever thinks otherwise is told', () =>
  withWorld(async (world) => {
    const speaker = await speakTo(world.endpoint)
    await speaker.expect('* OK <…>')
    speaker.send('a NOOP\nb NOOP\r\n')
    await speaker.expect('* BAD Lines end with CRLF (try nc -C)')
    await speaker.expect('* BYE Closing connection')
    await speaker.expectClosed()
    speaker.socket.destroy()
  }))

test('Errors are counted, and too many end the connection', () =>
  withWorld(
    (world) =>
      world.play(`
        S: * OK <…>
        C: a FROB
        S: a BAD Command not recognized
        C:
        S: * BAD Cannot read command: expected a tag
        C: c NOOP NOOP
        S: * BYE Too many errors
        S: c BAD Cannot read command: expected the end of the line
        S: (closed)
      `),
    { limits: { errorsPerSession: 3 } },
  ))

test('After log-in only errors in a row count', () =>
  withWorld(
    (world) =>
      world.play(`
        S: * OK <…>
        C: a FROB
        S: a BAD Command not recognized
        C: b LOGIN bob hungry
        S: b OK <…>
        C: c FROB
        S: c BAD Command not recognized
        C: d SELECT nowhere
        S: d NO [NONEXISTENT] No such mailbox
        C: e FROB
        S: e BAD Command not recognized
        C: f CLOSE
        S: * BYE Too many errors
        S: f BAD No mailbox is selected
        S: (closed)
      `),
    { limits: { errorsPerSession: 2 } },
  ))

test('Pipelined commands are answered in order, also behind a FIN', () =>
  withWorld(async (world) => {
    await world.deliver('Subject: one\r\n\r\n1\r\n')
    await world.play(`
      C: l LOGIN bob hungry
      C: a SELECT INBOX
      C: b FETCH 1 BODY.PEEK[TEXT]
      C: c LOGOUT
      C: (close)
      S: * OK <…>
      S: l OK <…>
      S: * FLAGS <…>
      S: * OK <…>
      S: * 1 EXISTS
      S: * 1 RECENT
      S: * OK <…>
      S: * OK <…>
      S: * OK <…>
      S: a OK <…>
      S: * 1 FETCH (BODY[TEXT] {3}
      S: 1
      S: )
      S: b OK Fetched
      S: * BYE <…>
      S: c OK Goodbye
      S: (closed)
    `)
  }))

test('Before log-in a minute without a command is too long, however octets drip', () =>
  withWorld(async (world) => {
    const speaker = await speakTo(world.endpoint)
    await speaker.expect('* OK <…>')
    world.clock.advance(59_000)
    speaker.send('a NOOP\r\n')
    await speaker.expect('a OK Nothing done')
    world.clock.advance(59_000)
    speaker.send('b NO')
    world.clock.advance(1_000)
    await speaker.expect('* BYE Idle for too long')
    await speaker.expectClosed()
    speaker.socket.destroy()
  }))

test('After log-in a session may be idle as long as the limit says', () =>
  withWorld(
    (world) =>
      world.play(`
        ${loggedIn}
        C: a IDLE
        S: + idling
        S: * BYE Idle for too long
        S: (closed)
      `),
    { limits: { imapIdleTimeoutMs: 100 } },
  ))

test('ID, ENABLE and CAPABILITY', () =>
  withWorld((world) =>
    world.play(`
      S: * OK <…>
      C: a ID NIL
      S: * ID ("name" "Posthorn")
      S: a OK <…>
      C: b ENABLE CONDSTORE
      S: b BAD Log in first
      C: c LOGIN bob hungry
      S: c OK <…>
      C: d ENABLE CONDSTORE X-FOO
      S: * ENABLED
      S: d OK <…>
      C: e CAPABILITY
      S: * CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE
      S: e OK <…>
      C: f STARTTLS
      S: f BAD You are logged in already
      C: g CHECK
      S: g BAD No mailbox is selected
    `),
  ))
