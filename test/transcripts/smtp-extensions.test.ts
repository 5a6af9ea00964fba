/** What EHLO announces, as the documents of the extensions show it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { replay } from '../harness/replay.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

let harness: SmtpHarness
let submission: SmtpHarness
const play = (transcript: string): Promise<void> => replay(harness.endpoint, transcript)
/** Octets of UTF-8, as a transcript holds them. */
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

before(async () => {
  harness = await openSmtpDoor({ limits: { messageOctets: 20_000, mailsPerConnection: 5 } })
  submission = await openSmtpDoor({ door: { role: 'submission' }, limits: { messageOctets: 20_000 } })
})
after(async () => {
  await harness.close()
  await submission.close()
})

const hello = `
  S: 220 mail.hamburger.edu ESMTP
  C: EHLO crepes.fr
  S: (…)`
const envelope = `
  C: MAIL FROM:<alice@crepes.fr>
  S: 250 2.1.0 Originator ok
  C: RCPT TO:<bob@hamburger.edu>
  S: 250 2.1.5 Recipient ok`
const login = `${hello}
  C: AUTH PLAIN ${Buffer.from('\0bob\0hungry').toString('base64')}
  S: 235 2.7.0 Authentication successful`

describe('what is announced', () => {
  test('to strangers in the clear', () =>
    play(`
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO crepes.fr
      S: 250-mail.hamburger.edu
      S: 250-PIPELINING
      S: 250-SIZE 20000
      S: 250-8BITMIME
      S: 250-CHUNKING
      S: 250-BINARYMIME
      S: 250-SMTPUTF8
      S: 250-DSN
      S: 250-DELIVERBY
      S: 250-LIMITS MAILMAX=5 RCPTMAX=1000
      S: 250 ENHANCEDSTATUSCODES
      C: MAIL FROM:<alice@crepes.fr> REQUIRETLS
      S: 555 5.5.4 Cannot accept MAIL: parameter REQUIRETLS is unknown
      C: MAIL FROM:<alice@crepes.fr> HOLDFOR=60
      S: 555 5.5.4 Cannot accept MAIL: parameter HOLDFOR is unknown
      C: MAIL FROM:<alice@crepes.fr> MT-PRIORITY=9
      S: 555 5.5.4 Cannot accept MAIL: parameter MT-PRIORITY is unknown
      C: HELO crepes.fr
      S: 250 mail.hamburger.edu
      C: MAIL FROM:<alice@crepes.fr> SIZE=10
      S: 555 5.5.4 Cannot accept MAIL: parameter SIZE is unknown
    `))

  test('to those who hand in', () =>
    replay(
      submission.endpoint,
      `
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO laptop.example
      S: 250-mail.hamburger.edu
      S: 250-PIPELINING
      S: 250-SIZE 100000000
      S: 250-8BITMIME
      S: 250-CHUNKING
      S: 250-BINARYMIME
      S: 250-SMTPUTF8
      S: 250-DSN
      S: 250-DELIVERBY
      S: 250-MT-PRIORITY
      S: 250-FUTURERELEASE 2592000 <…>Z
      S: 250-LIMITS MAILMAX=100000 RCPTMAX=1000
      S: 250-ENHANCEDSTATUSCODES
      S: 250 AUTH PLAIN LOGIN
    `,
    ))
})

describe('CHUNKING, RFC 3030', () => {
  test('§4.1 a message in one chunk, a whole transaction in one write', async () => {
    await play(`${hello}
      C: MAIL FROM:<alice@crepes.fr>
      C: RCPT TO:<bob@hamburger.edu>
      C: BDAT 27 LAST
      C-raw: ${JSON.stringify('Subject: One\r\n\r\nQUIT\r\n.\r\nx.')}
      C: NOOP
      S: 250 2.1.0 Originator ok
      S: 250 2.1.5 Recipient ok
      S: 250 2.0.0 Message accepted for delivery, <…>
      S: 250 2.0.0 Ok
    `)
    const letter = (await harness.inbox('bob@hamburger.edu')).at(-1)!
    // Dots are not stuffed, and a dot ends nothing; a line end is put behind the last line.
    assert.ok(letter.endsWith('\r\nSubject: One\r\n\r\nQUIT\r\n.\r\nx.\r\n'))
  })

  test('§4.2 several chunks, cut anywhere, and BDAT 0 LAST', async () => {
    await play(`${hello}${envelope}
      C: BDAT 9
      C-raw: "Subject: "
      S: 250 2.0.0 9 octets received
      C: BDAT 6
      C-raw: ${JSON.stringify('Two\r\n\r')}
      S: 250 2.0.0 6 octets received
      C: NOOP
      S: 250 2.0.0 Ok
      C: BDAT 3
      C-raw: ${JSON.stringify('\nHi')}
      C: BDAT 2
      C-raw: ${JSON.stringify('\r\n')}
      C: BDAT 0 LAST
      S: 250 2.0.0 3 octets received
      S: 250 2.0.0 2 octets received
      S: 250 2.0.0 Message accepted for delivery, <…>
      C: BDAT 0 LAST
      S: 503 5.5.1 Say MAIL first
    `)
    assert.ok((await harness.inbox('bob@hamburger.edu')).at(-1)!.endsWith('\r\nSubject: Two\r\n\r\nHi\r\n'))
  })

  test('§2 the octets of a chunk that is refused are never run as commands', () =>
    play(`
      S: 220 mail.hamburger.edu ESMTP
      C: BDAT 6
      C-raw: ${JSON.stringify('QUIT\r\n')}
      S: 503 5.5.1 Say EHLO first
      C: EHLO crepes.fr
      S: (…)
      C: BDAT 6 LAST
      C-raw: ${JSON.stringify('QUIT\r\n')}
      S: 503 5.5.1 Say MAIL first
      C: MAIL FROM:<alice@crepes.fr>
      C: RCPT TO:<nobody@hamburger.edu>
      C: BDAT 6 LAST
      C-raw: ${JSON.stringify('QUIT\r\n')}
      C: NOOP
      S: 250 2.1.0 Originator ok
      S: 550 5.1.1 No such user here
      S: 503 5.5.1 No valid recipients
      S: 250 2.0.0 Ok
    `))

  test('§2 DATA and BDAT do not mix, and RSET forgets the chunks', () =>
    play(`${hello}${envelope}
      C: BDAT 5
      C-raw: "12345"
      S: 250 2.0.0 5 octets received
      C: DATA
      S: 503 5.5.1 Say BDAT or RSET: the message has begun to come
      C: RCPT TO:<carol@hamburger.edu>
      S: 503 5.5.1 Say BDAT or RSET: the message has begun to come
      C: MAIL FROM:<alice@crepes.fr>
      S: 503 5.5.1 Say BDAT or RSET: the message has begun to come
      C: RSET
      S: 250 2.0.0 Reset
      C: BDAT 2 LAST
      C-raw: ${JSON.stringify('\r\n')}
      S: 503 5.5.1 Say MAIL first${envelope}
      C: DATA
      S: 354 Start mail input; end with <CRLF>.<CRLF>
      C: .
      S: 250 2.0.0 <…>
    `))

  test('what does not fit is refused at its chunk, and chunks in the pipeline pass by', () =>
    play(`${hello}${envelope}
      C: BDAT 15000
      C-raw: ${JSON.stringify('x'.repeat(14_998))}
      C-raw: ${JSON.stringify('\r\n')}
      C: BDAT 15000
      C-raw: ${JSON.stringify('QUIT\r\n'.repeat(2_500))}
      C: BDAT 6 LAST
      C-raw: ${JSON.stringify('QUIT\r\n')}
      S: 250 2.0.0 15000 octets received
      S: 552 5.3.4 Message size exceeds fixed maximum message size
      S: 503 5.5.1 Say MAIL first
      C: NOOP
      S: 250 2.0.0 Ok
    `))

  test('a chunk that nobody would wait for, and one of unknown size, end the connection', async () => {
    await play(`${hello}${envelope}
      C: BDAT 40001
      C: QUIT
      S: 552 5.3.4 Message size exceeds fixed maximum message size
      S: (closed)
    `)
    await play(`${hello}${envelope}
      C: BDAT ten
      C: QUIT
      S: 501 5.5.4 <…>
      S: (closed)
    `)
  })

  test('bare line ends in chunks are refused like those after DATA', () =>
    play(`${hello}${envelope}
      C: BDAT 12 LAST
      C-raw: ${JSON.stringify('a: b\n\nbody\r\n')}
      S: 550 5.6.0 Message has a line that ends with LF instead of CRLF
      C: NOOP
      S: 250 2.0.0 Ok
    `))

  test('§3 what is binary comes by BDAT only, and is kept as base64', async () => {
    const octets = `\0\n\r${'\xff'.repeat(100)}`
    const text = `Content-Type: image/gif\r\nContent-Transfer-Encoding: binary\r\n\r\n${octets}`
    await play(`${hello}
      C: MAIL FROM:<alice@crepes.fr> BODY=BINARYMIME
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<bob@hamburger.edu>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 503 5.5.1 BODY=BINARYMIME comes by BDAT only
      C: BDAT ${text.length} LAST
      C-raw: ${JSON.stringify(text)}
      S: 250 2.0.0 <…>
      C: MAIL FROM:<alice@crepes.fr> BINARYMIME
      S: 555 5.5.4 Cannot accept MAIL: parameter BINARYMIME is unknown
    `)
    const letter = (await harness.inbox('bob@hamburger.edu')).at(-1)!
    const [, header = '', body = ''] = /^([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(letter)!
    assert.match(header, /\r\nContent-Transfer-Encoding: base64$/)
    // The line end behind the last chunk is no octet of the picture.
    assert.equal(Buffer.from(body, 'base64').toString('latin1'), octets)
  })

  test('a connection that ends inside a chunk leaves nothing behind', async () => {
    const before = (await harness.inbox('bob@hamburger.edu')).length
    await play(`${hello}${envelope}
      C: BDAT 100 LAST
      C: Subject: half
      C: (close)
      S: (closed)
    `)
    assert.equal((await harness.inbox('bob@hamburger.edu')).length, before)
  })
})

describe('SMTPUTF8, RFC 6531', () => {
  test('§3.2 a domain of ours is the same in U-labels and A-labels, however it was added', async () => {
    await harness.store.addDomain('käse.example')
    await harness.store.addAccount('heidi@KÄSE.example', null)
    await play(`${hello}
      C: MAIL FROM:<alice@crepes.fr> SMTPUTF8
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<heidi@xn--kse-qla.example>
      S: 250 2.1.5 Recipient ok
      C: ${utf8('RCPT TO:<heidi@käse.example>')}
      S: 250 2.1.5 Recipient ok
      C: RCPT TO:<postmaster@xn--kse-qla.example>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 <…>
      C: Subject: Raclette
      C:
      C: .
      S: 250 2.0.0 <…>
    `)
    const letters = await harness.inbox('heidi@käse.example')
    assert.equal(letters.length, 1)
    assert.ok(letters[0]!.endsWith('\r\nSubject: Raclette\r\n\r\n'))
  })

  test('§3.3 a letter from and to UTF-8 addresses', async () => {
    await harness.store.addAccount('用户@hamburger.edu', null)
    await play(`${hello}
      C: ${utf8('MAIL FROM:<δοκιμή@παράδειγμα.example> SMTPUTF8')}
      S: 250 2.1.0 Originator ok
      C: ${utf8('RCPT TO:<用户@hamburger.edu>')}
      S: 250 2.1.5 Recipient ok
      C: ${utf8('RCPT TO:<用@hamburger.edu>')}
      S: 550 5.1.1 No such user here
      C: DATA
      S: 354 <…>
      C: ${utf8('Subject: 你好')}
      C:
      C: .
      S: 250 2.0.0 <…>
    `)
    const [letter] = await harness.inbox('用户@hamburger.edu')
    const text = Buffer.from(letter!, 'latin1').toString()
    assert.match(text, /^Return-Path: <δοκιμή@xn--hxajbheg2az3al\.example>\r\n/)
    assert.match(text, /with UTF8SMTP id/)
    assert.match(text, /for\s+<用户@hamburger\.edu>/)
    assert.ok(text.endsWith('\r\nSubject: 你好\r\n\r\n'))
  })

  test('§3.5 without the parameter an address is in ASCII', () =>
    play(`${hello}
      C: ${utf8('MAIL FROM:<δοκιμή@crepes.fr>')}
      S: 550 5.6.7 <…>
      C: MAIL FROM:<alice@crepes.fr>
      S: 250 2.1.0 Originator ok
      C: ${utf8('RCPT TO:<用户@hamburger.edu>')}
      S: 553 5.6.7 <…>
      C: ${utf8('RCPT TO:<henryⅣ@hamburger.edu>')}
      S: 553 5.6.7 <…>
      C: RSET
      S: 250 2.0.0 Reset
      C: MAIL FROM:<alice@crepes.fr> SMTPUTF8
      S: 250 2.1.0 Originator ok
      C: ${JSON.stringify('RCPT TO:<\xff@hamburger.edu>').slice(1, -1)}
      S: 501 5.1.3 <…>
    `))

  test('an 8-bit header without SMTPUTF8 is taken as it is', () =>
    play(`${hello}${envelope}
      C: DATA
      S: 354 <…>
      C: ${utf8('Subject: Crêpes')}
      C:
      C: .
      S: 250 2.0.0 <…>
    `))

  test('§3.7.4.2 VRFY takes the parameter', () =>
    play(`${hello}
      C: ${utf8('VRFY 用户@hamburger.edu SMTPUTF8')}
      S: 252 2.1.5 <…>
      C: ${utf8('VRFY 用户@hamburger.edu')}
      S: 553 5.6.7 <…>
    `))
})

describe('what MAIL and RCPT ask for reaches the queue', () => {
  test('DSN, RFC 3461 §4: RET, ENVID, NOTIFY and ORCPT', async () => {
    await replay(
      submission.endpoint,
      `${login}
      C: MAIL FROM:<bob@hamburger.edu> RET=HDRS ENVID=QQ314159
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<alice@crepes.fr> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Alice@Crepes.FR
      S: 250 2.1.5 Recipient ok
      C: RCPT TO:<dan@crepes.fr> NOTIFY=NEVER
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 <…>
      C: From: bob@hamburger.edu
      C:
      C: .
      S: 250 2.0.0 <…>
    `,
    )
    const entry = (await submission.store.listQueue(10)).at(-1)!
    assert.equal(entry.envid, 'QQ314159')
    assert.equal(entry.ret, 'HDRS')
    assert.deepEqual(
      entry.recipients.map(({ forwardPath, notify, orcpt }) => ({ forwardPath, notify, orcpt })),
      [
        { forwardPath: 'alice@crepes.fr', notify: 'SUCCESS,DELAY', orcpt: 'rfc822;Alice@Crepes.FR' },
        { forwardPath: 'dan@crepes.fr', notify: 'NEVER', orcpt: null },
      ],
    )
    await submission.store.dropEntry(entry.queueId)
  })

  test('RFC 4865, RFC 2852, RFC 6710: held back, by when, how urgent; and TLS-Required: No of RFC 8689', async () => {
    const now = Date.now()
    await replay(
      submission.endpoint,
      `${login}
      C: MAIL FROM:<bob@hamburger.edu> HOLDFOR=2592001
      S: 501 5.5.4 Cannot accept MAIL: a message is kept back for 30 days at most
      C: MAIL FROM:<bob@hamburger.edu> HOLDUNTIL=2020-02-29T12:00:00Z
      S: 501 5.5.4 Cannot accept MAIL: the time of HOLDUNTIL is over
      C: MAIL FROM:<bob@hamburger.edu> HOLDFOR=3600 BY=3599;R
      S: 501 5.5.4 Cannot accept MAIL: it would be kept back until after it is to be delivered
      C: MAIL FROM:<bob@hamburger.edu> HOLDFOR=3600 BY=7200;NT MT-PRIORITY=3 SMTPUTF8
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<alice@crepes.fr>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 <…>
      C: From: bob@hamburger.edu
      C: TLS-Required: No
      C:
      C: .
      S: 250 2.0.0 <…>
    `,
    )
    const entry = (await submission.store.listQueue(10)).at(-1)!
    const { holdUntil, deliverBy, ...wishes } = entry.wishes
    assert.deepEqual(wishes, {
      requireTls: false,
      tlsOptional: true,
      priority: 3,
      holdFor: 3_600,
      binary: false,
    })
    assert.ok(holdUntil !== null && holdUntil >= now + 3_600_000)
    assert.ok(deliverBy !== null && deliverBy.at >= now + 7_200_000)
    assert.deepEqual([deliverBy.mode, deliverBy.trace], ['notify', true])
    // RFC 6710 §4.1
    assert.match(entry.prefix, /^Received: [^;]*\sfor\s<alice@crepes\.fr>\sPRIORITY\s3;/)
    // RFC 6531 §3.6: all of it is ASCII, so the next server need not know SMTPUTF8.
    assert.equal(entry.smtpUtf8, false)
    await submission.store.dropEntry(entry.queueId)
  })
})

test('LIMITS, RFC 9422: more messages than announced need another connection', async () => {
  const five = Array.from({ length: 5 }, () => `${envelope}\nC: RSET\nS: 250 2.0.0 Reset`).join('')
  await play(`${hello}${five}
    C: MAIL FROM:<alice@crepes.fr>
    S: 421 4.7.0 Too many messages on this connection, open another one
    S: (closed)
  `)
})

test('VRFY and EXPN tell those who have logged in what the operator wishes', async () => {
  const own = await openSmtpDoor({
    door: { role: 'submission', inquiries: { vrfy: 'accounts', expn: true } },
  })
  try {
    await replay(
      own.endpoint,
      `${hello}
      C: VRFY bob@hamburger.edu
      S: 252 2.1.5 Cannot verify, but will accept a message and attempt delivery
      C: EXPN cooks@hamburger.edu
      S: 502 5.5.1 EXPN is not offered here
      C: AUTH PLAIN ${Buffer.from('\0bob\0hungry').toString('base64')}
      S: 235 2.7.0 Authentication successful
      C: VRFY <bob@hamburger.edu>
      S: 250 2.1.5 <bob@hamburger.edu>
      C: VRFY postmaster
      S: 250 2.1.5 <postmaster>
      C: VRFY nobody@hamburger.edu
      S: 550 5.1.1 No such user here
      C: VRFY alice@crepes.fr
      S: 252 2.1.5 Not an address of this server
      C: VRFY Bob Burger
      S: 252 2.1.5 Cannot verify, but will accept a message and attempt delivery
      C: EXPN cooks@hamburger.edu
      S: 250-2.1.5 <bob@hamburger.edu>
      S: 250 2.1.5 <carol@hamburger.edu>
      C: EXPN bob@hamburger.edu
      S: 550 5.1.1 No such list here
    `,
    )
  } finally {
    await own.close()
  }
})
