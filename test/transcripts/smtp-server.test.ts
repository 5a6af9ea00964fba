/** Conversations with the door on port 25, as the RFCs write them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { SmtpDoorOptions } from '../../src/smtp/server/options.ts'
import { StoreUnavailable } from '../../src/store/errors.ts'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

let harness: SmtpHarness
const play = (transcript: string): Promise<void> => replay(harness.endpoint, transcript)

/** Runs with a door of its own. */
async function withDoor(
  options: Parameters<typeof openSmtpDoor>[0],
  work: (harness: SmtpHarness) => Promise<void>,
): Promise<void> {
  const own = await openSmtpDoor(options)
  try {
    await work(own)
  } finally {
    await own.close()
  }
}

before(async () => {
  harness = await openSmtpDoor({ limits: { messageOctets: 20_000, recipients: 100 } })
})
after(() => harness.close())

describe('a letter from outside', () => {
  test('a letter to bob is accepted and lies in his INBOX with its trace', async () => {
    await play(`
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO crepes.fr
      S: (…)
      C: MAIL FROM:<alice@crepes.fr> SIZE=100
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<bob@hamburger.edu>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Start mail input; end with <CRLF>.<CRLF>
      C: Subject: Ketchup
      C:
      C: ..dots
      C: .
      S: 250 2.0.0 Message accepted for delivery, <…>
      C: QUIT
      S: 221 2.0.0 mail.hamburger.edu closing connection
      S: (closed)
    `)
    const [letter] = await harness.inbox('bob@hamburger.edu')
    assert.match(
      letter!,
      /^Return-Path: <alice@crepes\.fr>\r\nReceived: from crepes\.fr \(\[127\.0\.0\.1\]\)/,
    )
    assert.match(letter!, /with ESMTP id\s+[0-9a-z]{16}/)
    assert.ok(letter!.endsWith('Subject: Ketchup\r\n\r\n.dots\r\n'))
  })

  test('RFC 2920 §3.2: a whole transaction in one write is answered line by line', async () => {
    const before = (await harness.inbox('carol@hamburger.edu')).length
    await play(`
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO crepes.fr
      C: MAIL FROM:<alice@crepes.fr>
      C: RCPT TO:<carol@hamburger.edu>
      C: RCPT TO:<nobody@hamburger.edu>
      C: DATA
      C: Subject: One
      C:
      C: .
      C: MAIL FROM:<>
      C: RCPT TO:<carol@hamburger.edu>
      C: DATA
      C: Subject: Two
      C:
      C: .
      C: QUIT
      S: (…)
      S: 250 2.1.0 Originator ok
      S: 250 2.1.5 Recipient ok
      S: 550 5.1.1 <…>
      S: 354 Start mail input; end with <CRLF>.<CRLF>
      S: 250 2.0.0 Message accepted for delivery, <…>
      S: 250 2.1.0 Originator ok
      S: 250 2.1.5 Recipient ok
      S: 354 Start mail input; end with <CRLF>.<CRLF>
      S: 250 2.0.0 Message accepted for delivery, <…>
      S: 221 2.0.0 mail.hamburger.edu closing connection
      S: (closed)
    `)
    const letters = await harness.inbox('carol@hamburger.edu')
    assert.equal(letters.length, before + 2)
    assert.match(letters.at(-1)!, /^Return-Path: <>\r\n/)
  })

  test('an alias leads to both, postmaster to somebody, and each has one copy', async () => {
    const bob = (await harness.inbox('bob@hamburger.edu')).length
    const carol = (await harness.inbox('carol@hamburger.edu')).length
    await play(`
      S: 220 mail.hamburger.edu ESMTP
      C: HELO crepes.fr
      S: 250 mail.hamburger.edu
      C: MAIL FROM: <alice@crepes.fr>
      S: 250 2.1.0 Originator ok
      C: RCPT TO: <cooks@hamburger.edu>
      S: 250 2.1.5 Recipient ok
      C: RCPT TO:<Postmaster>
      S: 250 2.1.5 Recipient ok
      C: RCPT TO:<BOB+lists@Hamburger.EDU>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Start mail input; end with <CRLF>.<CRLF>
      C: Do you like ketchup?
      C: .
      S: 250 2.0.0 Message accepted for delivery, <…>
    `)
    const letters = await harness.inbox('bob@hamburger.edu')
    assert.equal(letters.length, bob + 1)
    assert.equal((await harness.inbox('carol@hamburger.edu')).length, carol + 1)
    // RFC 5321 §7.2: nobody learns who else got it.
    assert.doesNotMatch(letters.at(-1)!, /for <|carol/)
    // The letter has no header, so an empty line stands between the trace and it.
    assert.ok(letters.at(-1)!.endsWith('\r\n\r\nDo you like ketchup?\r\n'))
  })
})

describe('what is refused, and how', () => {
  const hello = `
    S: 220 mail.hamburger.edu ESMTP
    C: HELO crepes.fr
    S: 250 mail.hamburger.edu`
  const letter = `
    C: MAIL FROM:<alice@crepes.fr>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 Recipient ok
    C: DATA
    S: 354 Start mail input; end with <CRLF>.<CRLF>`

  test('commands out of order are answered 503 and the transaction stays', () =>
    play(`
      S: 220 mail.hamburger.edu ESMTP
      C: MAIL FROM:<alice@crepes.fr>
      S: 503 5.5.1 Say EHLO or HELO first
      C: HELO crepes.fr
      S: 250 mail.hamburger.edu
      C: DATA
      S: 503 5.5.1 Say MAIL first
      C: RCPT TO:<bob@hamburger.edu>
      S: 503 5.5.1 Say MAIL first
      C: MAIL FROM:<alice@crepes.fr>
      S: 250 2.1.0 Originator ok
      C: DATA
      S: 503 5.5.1 No valid recipients
      C: MAIL FROM:<mallory@crepes.fr>
      S: 503 5.5.1 Bad sequence of commands
      C: RCPT TO:<bob@hamburger.edu>
      S: 250 2.1.5 Recipient ok
      C: RSET
      S: 250 2.0.0 Reset
      C: DATA
      S: 503 5.5.1 Say MAIL first
      C: NOOP anything
      S: 250 2.0.0 Ok
      C: VRFY bob
      S: 252 2.1.5 Cannot verify, but will accept a message and attempt delivery
      C: EXPN cooks
      S: 502 5.5.1 EXPN is not offered here
      C: HELP
      S: 214-2.0.0 EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY STARTTLS AUTH
      S: 214 2.0.0 HELP MAIL says what MAIL does
      C: HELP data
      S: 214 2.0.0 DATA - the message follows, up to a line of one dot
      C: HELP constructor
      S: 504 5.5.4 There is no help about that
      C: FROB
      S: 500 5.5.2 Command not recognized
      C: AUTH PLAIN
      S: 502 5.5.1 AUTH is not offered here
      C: STARTTLS
      S: 502 5.5.1 STARTTLS is not offered here
    `))

  test('nothing is relayed for strangers', () =>
    play(`${hello}
      C: MAIL FROM:<alice@crepes.fr>
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<carol@crepes.fr>
      S: 550 5.7.1 Relaying denied
      C: RCPT TO:<@hamburger.edu:carol@crepes.fr>
      S: 550 5.7.1 Relaying denied
      C: RCPT TO:<carol%crepes.fr@hamburger.edu>
      S: 550 5.1.1 <…>
      C: RCPT TO:<"carol@crepes.fr"@hamburger.edu>
      S: 550 5.1.1 <…>
      C: RCPT TO:<bob@[127.0.0.1]>
      S: 550 5.7.1 Relaying denied
    `))

  test('mail for a domain that is only thrown away is taken where the configuration says so, and for no other', () =>
    withDoor({ door: { mayRelay: (domain) => domain === 'discard.example' } }, async (own) => {
      await replay(
        own.endpoint,
        `${hello}
        C: MAIL FROM:<alice@crepes.fr>
        S: 250 2.1.0 Originator ok
        C: RCPT TO:<x1@discard.example>
        S: 250 2.1.5 Recipient ok
        C: RCPT TO:<x1@other.example>
        S: 550 5.7.1 Relaying denied
        C: DATA
        S: 354 Start mail input; end with <CRLF>.<CRLF>
        C: .
        S: 250 2.0.0 Message accepted for delivery, <…>
      `,
      )
      assert.equal((await own.store.listQueue(10)).length, 1)
    }))

  test('MAIL is refused at once when the declared size is over the limit', () =>
    play(`
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO crepes.fr
      S: (…)
      C: MAIL FROM:<alice@crepes.fr> SIZE=20001
      S: 552 5.3.4 Message size exceeds fixed maximum message size
      C: MAIL FROM:<> SIZE=20000
      S: 250 2.1.0 Originator ok
    `))

  test('a message over the limit that was not declared is refused after its end, and the session goes on', () =>
    play(`${hello}${letter}
      C-raw: ${JSON.stringify(`Subject: big\r\n\r\n${'0123456789\r\n'.repeat(2_000)}.\r\n`)}
      S: 552 5.3.4 Message size exceeds fixed maximum message size
      C: NOOP
      S: 250 2.0.0 Ok
    `))

  test('whoever sends twice the size is cut off', () =>
    play(`${hello}${letter}
      C-raw: ${JSON.stringify(`Subject: big\r\n\r\n${'0123456789\r\n'.repeat(4_000)}`)}
      S: 552 5.3.4 Message size exceeds fixed maximum message size
      S: (closed)
    `))

  for (const [name, octets] of [
    ['LF . LF', 'a\n.\nMAIL FROM:<x@crepes.fr>\r\n'],
    ['LF . CRLF', 'a\n.\r\nMAIL FROM:<x@crepes.fr>\r\n'],
    ['CRLF . LF', 'a\r\n.\nMAIL FROM:<x@crepes.fr>\r\n'],
  ] as const) {
    test(`smuggling: ${name} ends no message, the reply comes at once and the connection ends`, () =>
      play(`${hello}${letter}
        C-raw: ${JSON.stringify(octets)}
        S: 550 5.6.0 A line of one dot must begin and end with CRLF: message refused
        S: (closed)
      `))
  }

  test('bare LF, bare CR and NUL in a message are refused after its end', () =>
    play(`${hello}${letter}
      C-raw: ${JSON.stringify('Subject: a\r\n\r\nb\nc\r\n.\r\n')}
      S: 550 5.6.0 Message has a line that ends with LF instead of CRLF${letter}
      C-raw: ${JSON.stringify('Subject: a\r\n\r\nb\rc\r\n.\r\n')}
      S: 550 5.6.0 Message has a CR without LF${letter}
      C-raw: ${JSON.stringify('Subject: a\r\n\r\nb\0c\r\n.\r\n')}
      S: 550 5.6.0 Message has a NUL octet
    `))

  test('a command that ends with a bare LF is answered, and the connection ends', () =>
    play(`
      S: 220 mail.hamburger.edu ESMTP
      C-raw: ${JSON.stringify('HELO crepes.fr\nMAIL FROM:<a@b.example>\r\n')}
      S: 500 5.5.2 Lines end with CRLF (try nc -C)
      S: (closed)
    `))

  test('an overlong command line is refused, and the next one is read', () =>
    play(`
      S: 220 mail.hamburger.edu ESMTP
      C: ${`NOOP ${'x'.repeat(2_050)}`}
      S: 500 5.5.2 Line too long
      C: HELO crepes.fr
      S: 250 mail.hamburger.edu
    `))

  test('a message that goes round in circles is refused, RFC 5321 §6.3', () =>
    play(`${hello}${letter}
      C-raw: ${JSON.stringify(`${'Received: by a; x\r\n'.repeat(101)}\r\n.\r\n`)}
      S: 554 5.4.6 Too many hops, this message is going round in circles
    `))

  test('more recipients than the limit are asked to come again', async () => {
    const many = Array.from(
      { length: 100 },
      (_, i) => `
      C: RCPT TO:<bob+${i}@hamburger.edu>
      S: 250 2.1.5 Recipient ok`,
    ).join('')
    await play(`${hello}
      C: MAIL FROM:<alice@crepes.fr>
      S: 250 2.1.0 Originator ok${many}
      C: RCPT TO:<carol@hamburger.edu>
      S: 452 4.5.3 Too many recipients
    `)
  })

  test('a client that only errs is not served for ever', async () => {
    const errors = Array.from(
      { length: 19 },
      () => `
      C: FROB
      S: 500 5.5.2 Command not recognized`,
    ).join('')
    await play(`
      S: 220 mail.hamburger.edu ESMTP${errors}
      C: FROB
      S: 421 4.7.0 Too many errors, closing connection
      S: (closed)
    `)
  })

  test('a half-closed client still hears its answers', () =>
    play(`
      S: 220 mail.hamburger.edu ESMTP
      C: HELO crepes.fr
      C: QUIT
      C: (close)
      S: 250 mail.hamburger.edu
      S: 221 2.0.0 mail.hamburger.edu closing connection
      S: (closed)
    `))

  test('a connection that ends inside DATA leaves nothing behind', async () => {
    const before = (await harness.inbox('bob@hamburger.edu')).length
    await play(`${hello}${letter}
      C: Subject: half
      C: (close)
      S: (closed)
    `)
    assert.equal((await harness.inbox('bob@hamburger.edu')).length, before)
  })

  test('trouble of our own is temporary: the disk is full', () =>
    withDoor(
      {
        wrapStore: (store) => ({
          ...bound(store),
          accept: async (items) => items.map(() => new StoreUnavailable('disk full')),
        }),
      },
      (own) =>
        replay(
          own.endpoint,
          `${hello}${letter}
          C: .
          S: 452 4.3.1 Insufficient system storage, try again later
          C: NOOP
          S: 250 2.0.0 Ok
        `,
        ),
    ))
})

describe('submission', () => {
  const door: Partial<SmtpDoorOptions> = { role: 'submission' }
  const hello = `
    S: 220 mail.hamburger.edu ESMTP
    C: EHLO laptop.example
    S: (…)
`
  const plain = Buffer.from('\0bob\0hungry').toString('base64')

  test('RFC 4954 §4.1: a log-in by PLAIN, then a letter for elsewhere waits in the queue', () =>
    withDoor({ door }, async (own) => {
      await replay(
        own.endpoint,
        `${hello}
        C: MAIL FROM:<bob@hamburger.edu>
        S: 530 5.7.0 Authentication required
        C: AUTH PLAIN ${plain}
        S: 235 2.7.0 Authentication successful
        C: AUTH PLAIN ${plain}
        S: 503 5.5.1 You are logged in already
        C: MAIL FROM:<carol@hamburger.edu>
        S: 550 5.7.1 You are logged in as bob@hamburger.edu and may not send as another
        C: MAIL FROM:<cooks@hamburger.edu>
        S: 250 2.1.0 Originator ok
        C: RSET
        S: 250 2.0.0 Reset
        C: MAIL FROM:<bob@hamburger.edu>
        S: 250 2.1.0 Originator ok
        C: RCPT TO:<alice@crepes>
        S: 554 5.1.2 The domain of the recipient is not a whole one, such as example.com
        C: RCPT TO:<alice@crepes.fr>
        S: 250 2.1.5 Recipient ok
        C: RCPT TO:<carol@hamburger.edu>
        S: 250 2.1.5 Recipient ok
        C: DATA
        S: 354 Start mail input; end with <CRLF>.<CRLF>
        C: Subject: Pickles
        C: Bcc: secret@crepes.fr,
        C:  another@crepes.fr
        C: To: alice@crepes.fr
        C:
        C: How about pickles?
        C: .
        S: 250 2.0.0 Message accepted for delivery, <…>
        C: QUIT
        S: 221 2.0.0 mail.hamburger.edu closing connection
      `,
      )
      const queue = await own.store.listQueue(10)
      assert.equal(queue.length, 1)
      assert.equal(queue[0]!.domain, 'crepes.fr')
      assert.deepEqual(
        queue[0]!.recipients.map((one) => one.forwardPath),
        ['alice@crepes.fr'],
      )
      assert.match(
        queue[0]!.prefix,
        /^Received: .*with ESMTPA\s.*Date: .*Message-ID: <[0-9a-z]{16}@mail\.hamburger\.edu>\r\n$/s,
      )
      const [copy] = await own.inbox('carol@hamburger.edu')
      assert.match(copy!, /^Return-Path: <bob@hamburger\.edu>\r\nReceived: /)
      // RFC 5322 §3.6.3: nobody learns of blind copies.
      assert.ok(copy!.endsWith('\r\nSubject: Pickles\r\nTo: alice@crepes.fr\r\n\r\nHow about pickles?\r\n'))
      const recorded = JSON.stringify(own.journeys)
      assert.match(recorded, /AUTH PLAIN \*\*\*/)
      assert.ok(!recorded.includes(plain) && !recorded.includes('hungry'))
    }))

  test('a log-in by LOGIN, cancelled, refused, and closed after the third failure', () =>
    withDoor({ door }, (own) =>
      replay(
        own.endpoint,
        `${hello}
        C: AUTH CRAM-MD5
        S: 504 5.5.4 This mechanism is not offered
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: *
        S: 501 5.7.0 Log-in cancelled
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: ${'A'.repeat(13_000)}
        S: 500 5.5.6 Line too long
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: ${Buffer.from('bob').toString('base64')}
        S: 334 UGFzc3dvcmQ6
        C: ${Buffer.from('wrong').toString('base64')}
        S: 535 5.7.8 Login or password is wrong
        C: AUTH PLAIN !!!
        S: 501 5.5.2 Cannot read AUTH: this is no base64
        C: AUTH PLAIN ${Buffer.from('\0nobody\0hungry').toString('base64')}
        S: 535 5.7.8 Login or password is wrong
        C: AUTH PLAIN ${Buffer.from('carol@hamburger.edu\0bob\0hungry').toString('base64')}
        S: 535 5.7.8 Login or password is wrong
        S: (closed)
      `,
      ),
    ))
})

/** The methods of a store object as own properties, so that one of them can be replaced. */
function bound<T extends object>(target: T): T {
  const copy = Object.create(target) as Record<string, unknown>
  for (
    let holder: object | null = target;
    holder !== null && holder !== Object.prototype;
    holder = Object.getPrototypeOf(holder)
  ) {
    for (const name of Object.getOwnPropertyNames(holder)) {
      const value = (target as Record<string, unknown>)[name]
      if (typeof value === 'function') copy[name] = value.bind(target)
    }
  }
  return copy as T
}
