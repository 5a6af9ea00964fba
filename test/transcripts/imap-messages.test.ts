/** Conversations about messages: FETCH, STORE, COPY, MOVE, EXPUNGE, APPEND. RFC 3501 §6.4. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { speakTo } from '../harness/replay.ts'
import { openImapWorld, selected, type ImapWorld } from './imap-world.ts'

/** A world with bob's letters in it, played in, and closed. */
async function withLetters(
  letters: readonly string[],
  work: (world: ImapWorld) => Promise<void>,
  options = {},
): Promise<void> {
  const world = await openImapWorld(options)
  try {
    for (const letter of letters) await world.deliver(letter)
    await work(world)
  } finally {
    await world.close()
  }
}

const letter = (subject: string, text = 'Do you like ketchup?') =>
  `Subject: ${subject}\r\nTo: bob@hamburger.edu\r\n\r\n${text}\r\n`

const multipart = [
  'From: alice@crepes.fr',
  'Subject: parts',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  'preamble',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'caf=C3=A9 au lait',
  '--b',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  '',
  'inside',
  '--b--',
  '',
].join('\r\n')

test('FETCH of sections and partials', () =>
  withLetters([multipart], (world) =>
    world.play(`
      ${selected(1)}
      C: a FETCH 1 BODY.PEEK[1]
      S: * 1 FETCH (BODY[1] {17}
      S: caf=C3=A9 au lait)
      S: a OK Fetched
      C: b FETCH 1 BODY.PEEK[1.MIME]
      S: * 1 FETCH (BODY[1.MIME] {88}
      S: Content-Type: text/plain; charset=utf-8
      S: Content-Transfer-Encoding: quoted-printable
      S:
      S: )
      S: b OK Fetched
      C: c FETCH 1 (BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT] BODY.PEEK[2.1] BODY.PEEK[3] BODY.PEEK[1.1])
      S: * 1 FETCH (BODY[2.HEADER] {18}
      S: Subject: inner
      S:
      S:  BODY[2.TEXT] {6}
      S: inside BODY[2.1] {6}
      S: inside BODY[3] NIL BODY[1.1] NIL)
      S: c OK Fetched
      C: d FETCH 1 (BODY.PEEK[1]<0.4> BODY.PEEK[1]<12.100> BODY.PEEK[1]<17.1> BODY.PEEK[]<0.10>)
      S: * 1 FETCH (BODY[1]<0> {4}
      S: caf= BODY[1]<12> {5}
      S:  lait BODY[1]<17> {0}
      S:  BODY[]<0> {10}
      S: From: alic)
      S: d OK Fetched
      C: e FETCH 1 BODY.PEEK[HEADER.FIELDS (subject X-None)]
      S: * 1 FETCH (BODY[HEADER.FIELDS (subject X-None)] {18}
      S: Subject: parts
      S:
      S: )
      S: e OK Fetched
      C: f FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (mime-version from content-type)]
      S: * 1 FETCH (BODY[HEADER.FIELDS.NOT (mime-version from content-type)] {18}
      S: Subject: parts
      S:
      S: )
      S: f OK Fetched
      C: g FETCH 1 BODYSTRUCTURE
      S: * 1 FETCH (BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 17 1 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 24 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" <…>) 3 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL))
      S: g OK Fetched
      C: h UID FETCH 1 FLAGS
      S: * 1 FETCH (UID 1 FLAGS (\\Recent))
      S: h OK Fetched
    `),
  ))

test('The prefix of a delivery stands above the header, and only there', async () =>
  withLetters([], async (world) => {
    await world.deliver(letter('hello'), { prefix: 'Return-Path: <alice@crepes.fr>\r\n' })
    // The letter of the lecture has no header: its prefix ends with an empty line.
    await world.deliver('Do you like ketchup?\r\nHow about pickles?\r\n', {
      prefix: 'Received: here\r\n\r\n',
    })
    await world.play(`
      ${selected(2)}
      C: a FETCH 1 (RFC822.SIZE RFC822.HEADER RFC822.TEXT)
      S: * 1 FETCH (RFC822.SIZE 95 FLAGS (\\Seen \\Recent) RFC822.HEADER {73}
      S: Return-Path: <alice@crepes.fr>
      S: Subject: hello
      S: To: bob@hamburger.edu
      S:
      S:  RFC822.TEXT {22}
      S: Do you like ketchup?
      S: )
      S: a OK Fetched
      C: b FETCH 1 (BODY.PEEK[HEADER.FIELDS (RETURN-PATH)] BODY.PEEK[1]<0.6> BODY.PEEK[]<26.10>)
      S: * 1 FETCH (BODY[HEADER.FIELDS (RETURN-PATH)] {34}
      S: Return-Path: <alice@crepes.fr>
      S:
      S:  BODY[1]<0> {6}
      S: Do you BODY[]<26> {10}
      S: .fr>
      S: Subj)
      S: b OK Fetched
      C: c FETCH 2 (RFC822.SIZE BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[1]<0.3>)
      S: * 2 FETCH (RFC822.SIZE 60 BODY[HEADER] {18}
      S: Received: here
      S:
      S:  BODY[TEXT] {42}
      S: Do you like ketchup?
      S: How about pickles?
      S:  BODY[1]<0> {3}
      S: Do )
      S: c OK Fetched
    `)
  }))

test('Reading a text sets \\Seen and tells so; EXAMINE and PEEK leave it alone', () =>
  withLetters([letter('one'), letter('two')], (world) =>
    world.play(`
      ${selected(2)}
      C: a FETCH 1 BODY.PEEK[TEXT]
      S: * 1 FETCH (BODY[TEXT] {22}
      S: Do you like ketchup?
      S: )
      S: a OK Fetched
      C: b FETCH 1 (FLAGS BODY[TEXT])
      S: * 1 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT] {22}
      S: Do you like ketchup?
      S: )
      S: b OK Fetched
      C: c FETCH 1 BODY[TEXT]
      S: * 1 FETCH (BODY[TEXT] {22}
      S: Do you like ketchup?
      S: )
      S: c OK Fetched
      C: d EXAMINE INBOX
      S: * FLAGS <…>
      S: * OK [PERMANENTFLAGS ()] Read-only mailbox
      S: * 2 EXISTS
      S: * 0 RECENT
      S: * OK [UNSEEN 2] First message not read
      S: * OK [UIDVALIDITY <…>
      S: * OK [UIDNEXT 3] Next UID
      S: d OK [READ-ONLY] Opened for reading
      C: e FETCH 2 BODY[TEXT]
      S: * 2 FETCH (BODY[TEXT] {22}
      S: Do you like ketchup?
      S: )
      S: e OK Fetched
      C: f FETCH 2 FLAGS
      S: * 2 FETCH (FLAGS ())
      S: f OK Fetched
      C: g STORE 2 +FLAGS (\\Seen)
      S: g NO [READ-ONLY] The mailbox is open for reading only
      C: h EXPUNGE
      S: h NO [READ-ONLY] The mailbox is open for reading only
      C: i MOVE 2 Trash
      S: i NO [READ-ONLY] The mailbox is open for reading only
      C: j CLOSE
      S: j OK Closed
    `),
  ))

test('STORE sets, adds and removes flags and keywords', () =>
  withLetters([letter('one'), letter('two'), letter('three')], (world) =>
    world.play(`
      ${selected(3)}
      C: a STORE 1:2 FLAGS (\\Seen $Forwarded)
      S: * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded)
      S: * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded \\*)] Flags that are kept
      S: * 1 FETCH (FLAGS (\\Seen \\Recent $Forwarded))
      S: * 2 FETCH (FLAGS (\\Seen \\Recent $Forwarded))
      S: a OK Stored
      C: b UID STORE 2:3 +FLAGS (\\Flagged $forwarded)
      S: * 2 FETCH (UID 2 FLAGS (\\Seen \\Flagged \\Recent $Forwarded))
      S: * 3 FETCH (UID 3 FLAGS (\\Flagged \\Recent $Forwarded))
      S: b OK Stored
      C: c STORE 1:* -FLAGS.SILENT ($Forwarded \\Seen)
      S: c OK Stored
      C: d FETCH 1:* FLAGS
      S: * 1 FETCH (FLAGS (\\Recent))
      S: * 2 FETCH (FLAGS (\\Flagged \\Recent))
      S: * 3 FETCH (FLAGS (\\Flagged \\Recent))
      S: d OK Fetched
      C: e STORE 1 +FLAGS (\\Recent)
      S: e BAD Cannot read flags: no such system flag
      C: f STORE 4 FLAGS ()
      S: f BAD No such message
      C: g UID STORE 99 FLAGS ()
      S: g OK Stored
    `),
  ))

test('EXPUNGE, UID EXPUNGE, CLOSE and UNSELECT', () =>
  withLetters(
    ['1', '2', '3', '4', '5', '6', '7', '8'].map((subject) => letter(subject)),
    (world) =>
      world.play(`
      ${selected(8)}
      C: a STORE 3:4,7 +FLAGS.SILENT (\\Deleted)
      S: a OK Stored
      C: b UID EXPUNGE 4:6
      S: * 4 EXPUNGE
      S: b OK Expunged
      C: c EXPUNGE
      S: * 6 EXPUNGE
      S: * 3 EXPUNGE
      S: c OK Expunged
      C: d UID FETCH 1:* UID
      S: * 1 FETCH (UID 1)
      S: * 2 FETCH (UID 2)
      S: * 3 FETCH (UID 5)
      S: * 4 FETCH (UID 6)
      S: * 5 FETCH (UID 8)
      S: d OK Fetched
      C: e UID STORE 8 +FLAGS.SILENT \\Deleted
      S: e OK Stored
      C: f UNSELECT
      S: f OK Closed
      C: g STATUS INBOX (MESSAGES)
      S: * STATUS INBOX (MESSAGES 5)
      S: g OK Status told
      C: h SELECT INBOX
      S: * FLAGS <…>
      S: * OK <…>
      S: * 5 EXISTS
      S: * 0 RECENT
      S: * OK [UNSEEN 1] <…>
      S: * OK [UIDVALIDITY <…>
      S: * OK [UIDNEXT 9] Next UID
      S: h OK [READ-WRITE] Opened
      C: i CLOSE
      S: i OK Closed
      C: j STATUS INBOX (MESSAGES)
      S: * STATUS INBOX (MESSAGES 4)
      S: j OK Status told
    `),
  ))

test('COPY and MOVE tell the new UIDs; a target that is missing may be made', () =>
  withLetters([letter('one'), letter('two'), letter('three')], (world) =>
    world.play(`
      ${selected(3)}
      C: a COPY 1,3 meeting
      S: a NO [TRYCREATE] No such mailbox
      C: b CREATE meeting
      S: b OK Created
      C: c COPY 1,3 meeting
      S: c OK [COPYUID <…> 1,3 1:2] Copied
      C: d UID MOVE 2:3 meeting
      S: * OK [COPYUID <…> 2:3 3:4] Moved
      S: * 3 EXPUNGE
      S: * 2 EXPUNGE
      S: d OK Moved
      C: e UID COPY 77 meeting
      S: e OK Nothing to copy
      C: f COPY 2 meeting
      S: f BAD No such message
      C: g STATUS meeting (MESSAGES RECENT)
      S: * STATUS meeting (MESSAGES 4 RECENT 4)
      S: g OK Status told
      C: h COPY 1 INBOX
      S: * 2 EXISTS
      S: * 2 RECENT
      S: h OK [COPYUID <…> 1 4] Copied
    `),
  ))

test('APPEND puts a message into a mailbox with its flags and its date', () =>
  withLetters([], async (world) => {
    await world.play(`
      ${selected(0)}
      C: a APPEND INBOX (\\Seen $Work) " 7-Feb-1994 21:52:25 -0800" {17}
      S: + Go ahead
      C: Subject: x
      C:
      C: yes\\
      C:
      S: * FLAGS <…>
      S: * OK [PERMANENTFLAGS <…>
      S: * 1 EXISTS
      S: * 1 RECENT
      S: a OK [APPENDUID <…> 1] Appended
      C: b FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])
      S: * 1 FETCH (FLAGS (\\Seen \\Recent $Work) INTERNALDATE " 8-Feb-1994 05:52:25 +0000" RFC822.SIZE 17 BODY[] {17}
      S: Subject: x
      S:
      S: yes)
      S: b OK Fetched
      C: c APPEND nowhere {3+}
      C: abc
      S: c NO [TRYCREATE] No such mailbox
      C: d APPEND INBOX {0}
      S: + Go ahead
      C:
      S: * 2 EXISTS
      S: * 2 RECENT
      S: d OK [APPENDUID <…> 2] Appended
      C: e FETCH 2 (RFC822.SIZE BODY.PEEK[] BODY)
      S: * 2 FETCH (RFC822.SIZE 0 BODY (<…>) BODY[] {0}
      S: )
      S: e OK Fetched
      C: f APPEND INBOX (\\Bad) {3+}
      C: abc
      S: f BAD <…>
      C: g NOOP
      S: g OK Nothing done
    `)
    const { store, accountId } = world
    const mailbox = await store.findMailbox(accountId, 'INBOX')
    assert.equal(mailbox?.total, 2)
  }))

test('APPEND refuses a message with NUL octets, which no literal may hold', () =>
  withLetters([], async (world) => {
    await world.play(`
      ${selected(0)}
      C: a APPEND INBOX {11+}
      C: a: b
      C:
      C: c\0d\\
      C:
      S: a NO [CANNOT] The message holds NUL octets
      C: b NOOP
      S: b OK Nothing done
    `)
  }))

test('A message of any size is stored as it came, and read in pieces', () =>
  withLetters([], async (world) => {
    const text = `Subject: big\r\n\r\n${`${'0123456789'.repeat(7)}\r\n`.repeat(20_000)}`
    const speaker = await speakTo(world.endpoint)
    let received = ''
    speaker.socket
      .removeAllListeners('data')
      .on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
    speaker.send(`a LOGIN bob hungry\r\nb APPEND INBOX {${text.length}+}\r\n${text}\r\nc SELECT INBOX\r\n`)
    speaker.send('d FETCH 1 BODY.PEEK[]\r\ne FETCH 1 BODY.PEEK[TEXT]<720000.100>\r\nf LOGOUT\r\n')
    await once(speaker.socket, 'close')
    assert.match(received, /^b OK \[APPENDUID \d+ 1\]/m)
    const begin = received.indexOf(`BODY[] {${text.length}}\r\n`) + `BODY[] {${text.length}}\r\n`.length
    assert.ok(received.slice(begin, begin + text.length) === text)
    assert.ok(received.includes(`BODY[TEXT]<720000> {100}\r\n${text.slice(720_016, 720_116)})\r\n`))
  }))

test('A body that is damaged costs only its own message', () =>
  withLetters(
    [letter('one'), letter('two')],
    (world) =>
      world.play(`
        ${selected(2)}
        C: a FETCH 1:2 BODY.PEEK[TEXT]
        S: * 2 FETCH (BODY[TEXT] {22}
        S: Do you like ketchup?
        S: )
        S: a NO [SERVERBUG] Some messages cannot be read
      `),
    {
      wrapStore: (store: ImapWorld['store']) =>
        new Proxy(store, {
          get(target, name) {
            if (name !== 'readBody')
              return (target[name as keyof typeof target] as () => unknown).bind(target)
            return async (body: { blobId: number }, offset: number, octets: number) => {
              // Asked for in the order of the messages, answered in any.
              const isFirst = body.blobId === firstBlob(body.blobId)
              const chunk = await target.readBody(body as never, offset, octets)
              return isFirst ? chunk.subarray(0, 0) : chunk
            }
          },
        }),
    },
  ))

let lowestBlob = Number.POSITIVE_INFINITY
const firstBlob = (blobId: number) => (lowestBlob = Math.min(lowestBlob, blobId))

test('Collecting a message is told to its journey once, and not to the sender', () =>
  withLetters([], async (world) => {
    await world.deliver(letter('one'), { journeyId: 'journey-1' })
    await world.play(`
      ${selected(1)}
      C: i ID ("name" "Thunderbird")
      S: * ID ("name" "Posthorn")
      S: i OK <…>
      C: a FETCH 1 (FLAGS BODY.PEEK[HEADER])
      S: * 1 <…>
      S: Subject: one
      S: To: bob@hamburger.edu
      S:
      S: )
      S: a OK Fetched
      C: b FETCH 1 BODY.PEEK[]<0.7>
      S: * 1 FETCH (BODY[]<0> {7}
      S: Subject)
      S: b OK Fetched
      C: c FETCH 1 BODY.PEEK[]<0.7>
      S: * 1 FETCH (BODY[]<0> {7}
      S: Subject)
      S: c OK Fetched
    `)
    assert.equal(world.journeys.length, 1)
    const [entry] = world.journeys
    assert.equal(entry?.journeyId, 'journey-1')
    const [event] = entry!.events
    assert.deepEqual(
      [event?.kind, event?.stage, event?.visibleTo],
      ['collect.imap', 'collected', ['recipient', 'admin']],
    )
    assert.equal(event?.data['client'], 'Thunderbird')
    assert.deepEqual(event?.data['lines'], [
      { side: 'C', text: 'b FETCH 1 BODY.PEEK[]<0.7>' },
      { side: 'S', text: '* 1 FETCH (UID 1 BODY[]<0> {7})' },
    ])
  }))
