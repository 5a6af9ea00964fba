import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { Recorder } from '../../journey/recorder.ts'
import { packSpoken, unpackSpoken } from '../../journey/spoken.ts'
import { brief, message, sendOne, talk } from './client-fixture.ts'
import type { MailAsks, OutgoingMessage } from './message.ts'

test('a letter goes over in one write for the envelope when PIPELINING is offered', async () => {
  const result = await talk(
    `
    S: 220 mx.hamburger.example ESMTP
    C: EHLO crepes.example
    S: 250-mx.hamburger.example
    S: 250-PIPELINING
    S: 250-SIZE 1000
    S: 250 ENHANCEDSTATUSCODES
    C: MAIL FROM:<alice@crepes.example> SIZE=44
    C: RCPT TO:<bob@hamburger.example>
    C: DATA
    S: 250 2.1.0 Originator ok
    S: 250 2.1.5 Recipient ok
    S: 354 Go ahead
    C: Do you like ketchup?
    C: How about pickles?
    C: .
    S: 250 2.0.0 Accepted
    C: QUIT
    S: 221 Bye
    C: (close)
  `,
    sendOne(message('Do you like ketchup?\nHow about pickles?\n', { octets: 44 })),
  )
  assert.deepEqual(result.recipients.get('bob@hamburger.example'), {
    kind: 'delivered',
    stage: 'end-of-data',
    reply: { code: 250, status: '2.0.0', lines: ['Accepted'] },
    status: '2.0.0',
    text: '250 2.0.0 Accepted',
  })
  assert.equal(result.link.transaction, 0)
})

test('the conversation of the lecture, line for line', async () => {
  const recorder = new Recorder(systemClock)
  await talk(
    `
    S: 220 hamburger.edu
    C: HELO crepes.fr
    S: 250 Hello crepes.fr, pleased to meet you
    C: MAIL FROM: <alice@crepes.fr>
    S: 250 alice@crepes.fr... Sender ok
    C: RCPT TO: <bob@hamburger.edu>
    S: 250 bob@hamburger.edu ... Recipient ok
    C: DATA
    S: 354 Enter mail, end with "." on a line by itself
    C: Do you like ketchup?
    C: How about pickles?
    C: .
    S: 250 Message accepted for delivery
    C: QUIT
    S: 221 hamburger.edu closing connection
  `,
    sendOne(
      message('Do you like ketchup?\nHow about pickles?\n', {
        reversePath: 'alice@crepes.fr',
        to: ['bob@hamburger.edu'],
      }),
    ),
    { dialect: 'lecture', ehloName: 'crepes.fr', recorder },
  )
  const events = recorder.take()
  const wires = events.filter((event) => event.kind === 'wire')
  assert.deepEqual(
    wires.map((event) => event.data['phase']),
    ['transfer', 'closure'],
  )
  const lines = wires.flatMap(({ spoken }) => unpackSpoken(packSpoken(spoken ?? [])))
  assert.deepEqual(
    lines.map((line) => `${line.side}: ${line.text}`),
    [
      'S: 220 hamburger.edu',
      'C: HELO crepes.fr',
      'S: 250 Hello crepes.fr, pleased to meet you',
      'C: MAIL FROM: <alice@crepes.fr>',
      'S: 250 alice@crepes.fr... Sender ok',
      'C: RCPT TO: <bob@hamburger.edu>',
      'S: 250 bob@hamburger.edu ... Recipient ok',
      'C: DATA',
      'S: 354 Enter mail, end with "." on a line by itself',
      'C: (message, 42 octets)',
      'C: .',
      'S: 250 Message accepted for delivery',
      'C: QUIT',
      'S: 221 hamburger.edu closing connection',
    ],
  )
  assert.equal(events[0]!.kind, 'tcp.open')
})

test('without PIPELINING every command waits, and HELO stands in for EHLO', async () => {
  const result = await talk(
    `
    S: 220 old.example
    C: EHLO crepes.example
    S: 502 Never heard of it
    C: HELO crepes.example
    S: 250 old.example
    C: MAIL FROM:<>
    S: 250 ok
    C: RCPT TO:<bob@hamburger.example>
    S: 550 5.1.1 No Bob
    C: RCPT TO:<eve@hamburger.example>
    S: 251 User not local; will forward
    C: DATA
    S: 354 go
    C: x
    C: .
    S: 250 ok
    C: QUIT
    S: 221 Bye
  `,
    sendOne(message('x', { reversePath: '', to: ['bob@hamburger.example', 'eve@hamburger.example'] })),
  )
  assert.deepEqual(brief(result), {
    'bob@hamburger.example': 'permanent rcpt 5.1.1',
    'eve@hamburger.example': 'delivered end-of-data 2.0.0',
  })
})

test('several messages go over one connection, each with its own recorder, RSET only after trouble', async () => {
  const second = new Recorder(systemClock)
  await talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<alice@crepes.example>
    C: RCPT TO:<bob@hamburger.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: one
    C: .
    S: 250 ok
    C: MAIL FROM:<alice@crepes.example>
    C: RCPT TO:<nix@hamburger.example>
    C: DATA
    S: 250 ok
    S: 550 no
    S: 503 no recipients
    C: RSET
    C: MAIL FROM:<alice@crepes.example>
    C: RCPT TO:<bob@hamburger.example>
    C: DATA
    S: 250 reset
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: three
    C: .
    S: 451 4.2.1 later
    C: QUIT
    S: 221 Bye
  `,
    async (client) => {
      const one = await client.send(message('one'))
      const two = await client.send(message('two', { to: ['nix@hamburger.example'] }), second)
      const three = await client.send(message('three'), second)
      assert.deepEqual(
        [one, two, three].map((result) => result.link.transaction),
        [0, 1, 1],
      )
      assert.deepEqual(brief(two), { 'nix@hamburger.example': 'permanent rcpt 5.0.0' })
      assert.deepEqual(brief(three), { 'bob@hamburger.example': 'temporary end-of-data 4.2.1' })
      assert.equal(client.usable, true)
    },
  )
  const events = second.take()
  assert.deepEqual(
    events.map((event) => event.kind),
    ['tcp.open', 'wire', 'tcp.open', 'wire', 'wire'],
  )
  assert.equal(events[0]!.data['reused'], true)
})

test('a server that wants a message for nobody gets an empty one', async () => {
  const result = await talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<alice@crepes.example>
    C: RCPT TO:<bob@hamburger.example>
    C: DATA
    S: 250 ok
    S: 450 4.2.0 greylisted
    S: 354 go
    C: .
    S: 250 thank you for nothing
    C: QUIT
    S: 221 Bye
  `,
    sendOne(message('secret')),
  )
  assert.deepEqual(brief(result), { 'bob@hamburger.example': 'temporary rcpt 4.2.0' })
})

test('too many recipients: the message goes to those that were accepted, the rest is temporary', async () => {
  const to = ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example']
  const result = await talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250 mx
    C: MAIL FROM:<alice@crepes.example>
    S: 250 ok
    C: RCPT TO:<a@x.example>
    S: 250 ok
    C: RCPT TO:<b@x.example>
    S: 552 Too many recipients
    C: DATA
    S: 354 go
    C: x
    C: .
    S: 250 ok
    C: QUIT
    S: 221 Bye
  `,
    sendOne(message('x', { to })),
  )
  assert.deepEqual(Object.values(brief(result)), [
    'delivered end-of-data 2.0.0',
    'temporary rcpt 4.5.3',
    'temporary rcpt 4.5.3',
    'temporary rcpt 4.5.3',
  ])
})

test('a full mailbox is no matter of too many recipients', async () => {
  const result = await talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250 mx
    C: MAIL FROM:<alice@crepes.example>
    S: 250 ok
    C: RCPT TO:<bob@hamburger.example>
    S: 552 5.2.2 Mailbox full
    C: QUIT
    S: 221 Bye
  `,
    sendOne(message('x')),
  )
  assert.deepEqual(brief(result), { 'bob@hamburger.example': 'permanent rcpt 5.2.2' })
})

const ends: [title: string, script: string, outcome: string][] = [
  [
    '421 to MAIL',
    'C: MAIL FROM:<alice@crepes.example>\nS: 421 4.3.2 going\nS: (close)',
    'temporary mail 4.3.2',
  ],
  [
    'a refused reverse-path',
    'C: MAIL FROM:<alice@crepes.example>\nS: 553 5.1.8 no\nC: QUIT\nS: 221 x',
    'permanent mail 5.1.8',
  ],
  [
    '421 to RCPT',
    'C: MAIL FROM:<alice@crepes.example>\nS: 250 ok\nC: RCPT TO:<bob@hamburger.example>\nS: 421 going\nS: (close)',
    'temporary rcpt 4.0.0',
  ],
  [
    'the connection ends at RCPT',
    'C: MAIL FROM:<alice@crepes.example>\nS: 250 ok\nC: RCPT TO:<bob@hamburger.example>\nS: (close)',
    'temporary rcpt 4.4.2',
  ],
  [
    '250 to DATA',
    'C: MAIL FROM:<alice@crepes.example>\nS: 250 ok\nC: RCPT TO:<bob@hamburger.example>\nS: 250 ok\nC: DATA\nS: 250 odd',
    'temporary data 4.5.0',
  ],
  [
    'DATA is refused',
    'C: MAIL FROM:<alice@crepes.example>\nS: 250 ok\nC: RCPT TO:<bob@hamburger.example>\nS: 250 ok\nC: DATA\nS: 554 5.7.1 spam\nC: QUIT\nS: 221 x',
    'permanent data 5.7.1',
  ],
  [
    'the connection ends after the dot',
    'C: MAIL FROM:<alice@crepes.example>\nS: 250 ok\nC: RCPT TO:<bob@hamburger.example>\nS: 250 ok\nC: DATA\nS: 354 go\nC: x\nC: .\nS: (reset)',
    'temporary end-of-data 4.4.2',
  ],
  [
    'the message is refused',
    'C: MAIL FROM:<alice@crepes.example>\nS: 250 ok\nC: RCPT TO:<bob@hamburger.example>\nS: 250 ok\nC: DATA\nS: 354 go\nC: x\nC: .\nS: 550-5.7.1 a\nS: 550 5.7.1 b\nC: QUIT\nS: 221 x',
    'permanent end-of-data 5.7.1',
  ],
  ['no SMTP', 'C: MAIL FROM:<alice@crepes.example>\nS: HTTP/1.1 400 Bad Request', 'temporary mail 4.5.0'],
  [
    'two replies to one command',
    'C: MAIL FROM:<alice@crepes.example>\nS: (raw "250 a\\r\\n250 b\\r\\n")',
    'temporary',
  ],
]
for (const [title, script, outcome] of ends) {
  test(`what becomes of a recipient: ${title}`, async () => {
    const result = await talk(
      `S: 220 mx\nC: EHLO crepes.example\nS: 250 mx\n${script}`,
      sendOne(message('x')),
    )
    assert.match(brief(result)['bob@hamburger.example']!, new RegExp(`^${outcome}`))
  })
}

test('a connection that the server has closed between two messages is not usable', async () => {
  await talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250 mx
    C: MAIL FROM:<alice@crepes.example>
    S: 550 no
    S: 421 4.4.2 Idle too long
    S: (close)
  `,
    async (client) => {
      await client.send(message('x'))
      while (client.usable) await new Promise((resolve) => setTimeout(resolve, 5))
      const late = await client.send(message('x'))
      assert.deepEqual(brief(late), { 'bob@hamburger.example': 'temporary mail 4.4.2' })
      assert.equal(late.recipients.get('bob@hamburger.example')!.text, '421 4.4.2 Idle too long')
    },
  )
})

test('a message that cannot be read to its end is never ended by a dot', async () => {
  const result = await talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250 mx
    C: MAIL FROM:<alice@crepes.example>
    S: 250 ok
    C: RCPT TO:<bob@hamburger.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: (close)
  `,
    sendOne(
      message('', {
        async body(offset) {
          if (offset > 0) throw new Error('disk')
          return Buffer.from('half\r\n')
        },
      }),
    ),
  )
  assert.deepEqual(brief(result), { 'bob@hamburger.example': 'temporary data 4.3.0' })
})

test('parameters are written when they are offered and needed', async () => {
  await talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250-mx
    S: 250-8bitmime
    S: 250-SMTPUTF8
    S: 250-DSN
    S: 250-SIZE
    S: 250-AUTH=LOGIN
    S: 250 $%& garbage
    C: MAIL FROM:<alice@crepes.example> SIZE=3 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ314159
    S: 250 ok
    C: RCPT TO:<b\xc3\xbccher@hamburger.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob@hamburger.example
    S: 250 ok
    C: DATA
    S: 354 go
    C: \xff
    C: .
    S: 250 ok
    C: QUIT
    S: 221 Bye
  `,
    sendOne(
      message('\xff', {
        octets: 3,
        eightBit: true,
        smtpUtf8: true,
        ret: 'HDRS',
        envid: 'QQ314159',
        recipients: [
          {
            forwardPath: 'bücher@hamburger.example',
            orcpt: 'rfc822;bob@hamburger.example',
            notify: 'FAILURE,DELAY',
          },
        ],
      }),
    ),
  )
})

const nothing: MailAsks = { requireTls: false, priority: 0, deliverBy: null, binary: false }

const impossible: [title: string, mail: Partial<OutgoingMessage> & { to?: string[] }, status: string][] = [
  ['8-bit to a server without 8BITMIME', { eightBit: true }, '5.6.3'],
  ['what requires TLS, in the clear', { asks: { ...nothing, requireTls: true } }, '5.7.10'],
  ['binary to a server without BINARYMIME', { asks: { ...nothing, binary: true } }, '5.6.3'],
  [
    'what is to be returned when it is late, to a server without DELIVERBY',
    { asks: { ...nothing, deliverBy: { seconds: 60, mode: 'R', trace: false } } },
    '5.4.7',
  ],
  ['UTF-8 header to a server without SMTPUTF8', { smtpUtf8: true }, '5.6.7'],
  ['UTF-8 address to a server without SMTPUTF8', { to: ['bücher@hamburger.example'] }, '5.6.7'],
  ['larger than the SIZE offered', { octets: 101 }, '5.3.4'],
  ['a command in the reverse-path', { reversePath: 'a@b.example>\r\nRCPT TO:<c@d.example' }, '5.1.7'],
  ['a command in the forward-path', { to: ['a@b.example>\r\nDATA\r\n<x@y.example'] }, '5.1.3'],
  ['a parameter in the forward-path', { to: ['a@b.example> NOTIFY=NEVER'] }, '5.1.3'],
]
for (const [title, mail, status] of impossible) {
  test(`refused before MAIL: ${title}`, async () => {
    const result = await talk(
      'S: 220 mx\nC: EHLO crepes.example\nS: 250-mx\nS: 250 SIZE 100\nC: QUIT\nS: 221 x',
      sendOne(message('', mail)),
    )
    const [outcome] = [...result.recipients.values()]
    assert.deepEqual([outcome!.kind, outcome!.status, outcome!.reply], ['permanent', status, null])
  })
}
