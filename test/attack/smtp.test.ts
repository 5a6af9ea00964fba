/** What is tried on the SMTP doors, by strangers and by people with an account. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Cursor } from '../../src/base/cursor.ts'
import { parsePath } from '../../src/smtp/wire/path.ts'
import { type HarnessOptions, openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'
import { replay } from '../harness/replay.ts'
import { type Attacker, attack } from './client.ts'

async function openDoor(t: TestContext, options: HarnessOptions = {}): Promise<SmtpHarness> {
  const door = await openSmtpDoor(options)
  t.after(() => door.close())
  return door
}

async function greet(t: TestContext, door: SmtpHarness): Promise<Attacker> {
  const one = await attack(door.endpoint)
  t.after(() => one.socket.destroy())
  await one.until(/^220 .*\r\n/)
  await one.ask('EHLO client.example')
  return one
}

async function beginData(t: TestContext, door: SmtpHarness): Promise<Attacker> {
  const one = await greet(t, door)
  await one.ask('MAIL FROM:<ada@client.example>')
  await one.ask('RCPT TO:<bob@hamburger.edu>')
  assert.match(await one.ask('DATA'), /^354/)
  return one
}

const bobPlain = Buffer.from('\0bob\0hungry').toString('base64')

async function submit(t: TestContext, door: SmtpHarness, header: string): Promise<string> {
  const one = await greet(t, door)
  await one.ask(`AUTH PLAIN ${bobPlain}`)
  await one.ask('MAIL FROM:<bob@hamburger.edu>')
  await one.ask('RCPT TO:<carol@hamburger.edu>')
  await one.ask('DATA')
  return one.ask(`${header}\r\nhello\r\n.`)
}

const ends = [
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\r\n\r',
  '\n\r',
  '\0\r\n',
  '\r\0\n',
  '\r\n\0',
  '\n\n',
  '\x0b',
  '\x85',
]

test('Of all line ends around a dot only CRLF on both sides ends a message', async (t) => {
  const door = await openDoor(t)
  for (const before of ends) {
    for (const after of ends) {
      if (before.endsWith('\r\n') && after.startsWith('\r\n')) continue
      const one = await beginData(t, door)
      const smuggled =
        'MAIL FROM:<evil@client.example>\r\nRCPT TO:<bob@hamburger.edu>\r\nDATA\r\nevil\r\n.\r\nQUIT\r\n'
      one.send(`Subject: first\r\n\r\ntext${before}.${after}${smuggled}`)
      const reply = await one.until(/^\d{3} .*\r\n/)
      const ambiguous = /\n$/.test(before) && /^\r?\n/.test(after)
      if (ambiguous) assert.match(reply, /^550 5\.6\.0 A line of one dot/)
      if (ambiguous) assert.equal(await one.rest(), '')
      // The last dot ends it all, so what was to be smuggled is text, or refused with the rest of it.
      const isClean = !/\r(?!\n)|(?<!\r)\n|\0/.test(`${before}.${after}`)
      assert.match(reply, isClean ? /^250/ : /^550/, JSON.stringify([before, after]))
      one.socket.destroy()
    }
  }
  const kept = await door.inbox('bob@hamburger.edu')
  assert.ok(kept.length > 0)
  for (const letter of kept) {
    assert.match(letter, /\r\nSubject: first\r\n/)
    assert.ok(!/\r(?!\n)|(?<!\r)\n|\0/.test(letter), JSON.stringify(letter))
  }
})

// That it costs no more than another is counted in smtp/wire/data-reader.test.ts.
test('A message of dots is taken as any other', async (t) => {
  const door = await openDoor(t)
  for (const unit of ['\r\n..', '..\r\n']) {
    const one = await beginData(t, door)
    const count = 500_000
    one.send(`Subject: dots\r\n\r\n${unit.repeat(count)}\r\n.\r\n`)
    assert.match(await one.until(/^\d{3} .*\r\n/, 30_000), /^250/)
    const letter = (await door.inbox('bob@hamburger.edu')).at(-1)!
    assert.ok(letter.endsWith(`${unit.replace('..', '.').repeat(count)}\r\n`))
  }
})

test('No form of an address makes us a relay', async (t) => {
  const door = await openDoor(t, { limits: { errorsPerSession: 1_000 } })
  const one = await greet(t, door)
  await one.ask('MAIL FROM:<ada@client.example>')
  const forms = [
    ...[
      'victim@elsewhere.example',
      'victim%elsewhere.example@hamburger.edu',
      'elsewhere.example!victim@hamburger.edu',
    ],
    ...['@hamburger.edu:victim@elsewhere.example', '@hamburger.edu,@x.example:victim@elsewhere.example'],
    ...[
      'victim@[127.0.0.1]',
      'victim@[IPv6:::1]',
      'bob@[127.0.0.1]',
      'bob@0x7f.1',
      'bob@2130706433',
      'bob@1.2.3',
    ],
    ...[
      '"victim@elsewhere.example"@hamburger.edu',
      '"victim@elsewhere.example"',
      'victim@elsewhere.example@hamburger.edu',
    ],
    ...[
      'bob@hamburger.edu@elsewhere.example',
      'bob@hamburger.edu.',
      'bob@hamburger.edu.elsewhere.example',
      'bob@hamburger.edu\0.x',
    ],
    ...[
      'bob@hamburger.edu\r.x',
      'bob@hamburger%2eedu',
      'bob@hamb\xc3\xbcrger.edu',
      '"bob@hamburger.edu',
      'postmaster@elsewhere.example',
    ],
    ...['', '@', '@hamburger.edu', '""@hamburger.edu', 'bob'],
  ]
  for (const form of forms) assert.match(await one.ask(`RCPT TO:<${form}>`), /^5\d\d /, JSON.stringify(form))
})

test('Lines over the limit count as errors, and end a log-in that they were to answer', async (t) => {
  const door = await openDoor(t, { door: { role: 'submission' } })
  const one = await greet(t, door)
  assert.match(await one.ask('AUTH PLAIN'), /^334/)
  assert.match(await one.ask('A'.repeat(13_000)), /^500 5\.5\.6 Line too long/)
  assert.match(await one.ask('NOOP'), /^250/)
  for (let i = 0; i < 18; i++) assert.match(await one.ask('A'.repeat(3_000)), /^500/)
  assert.match(await one.ask('A'.repeat(3_000)), /^421/)
  await one.rest()
})

test('A web page cannot make a browser hand in mail', async (t) => {
  const door = await openDoor(t)
  await replay(
    door.endpoint,
    `
    S: 220 <…>
    C: POST / HTTP/1.1
    C: Host: 127.0.0.1:2525
    C: Content-Type: text/plain
    C:
    C: HELO x
    C: MAIL FROM:<evil@client.example>
    C: RCPT TO:<bob@hamburger.edu>
    S: 421 4.7.0 This is a mail server, closing connection
    S: (closed)
  `,
  )
})

test('What a client says without ever sending a message is remembered within a bound', async (t) => {
  const door = await openDoor(t, { limits: { idleCommands: 1_000 } })
  const one = await greet(t, door)
  await one.ask('MAIL FROM:<ada@client.example>')
  one.send(`NOOP ${'x'.repeat(1_500)}\r\n`.repeat(400))
  one.send('QUIT\r\n')
  await one.until(/221 .*\r\n/)
  await one.rest()
  assert.ok(JSON.stringify(door.journeys).length < 100_000)
})

test('JOUR-01 a subject and a Message-ID of a hundred kilobytes are kept in the message, not in its journey', async (t) => {
  const door = await openDoor(t)
  const one = await beginData(t, door)
  const long = 'long\r\n '.repeat(15_000)
  assert.match(
    await one.ask(`Subject: ${long}\r\nMessage-ID: <${'x'.repeat(50_000)}@x.example>\r\n\r\nx\r\n.`),
    /^250/,
  )
  await one.ask('QUIT')
  await one.rest()
  assert.ok((await door.inbox('bob@hamburger.edu'))[0]!.length > 100_000)
  assert.ok(JSON.stringify(door.journeys).length < 20_000)
})

test('Several From fields are refused: each reader would take another one', async (t) => {
  const door = await openDoor(t)
  const one = await beginData(t, door)
  const reply = await one.ask('From: ada@client.example\r\nFROM: bob@hamburger.edu\r\n\r\nhello\r\n.')
  assert.match(reply, /^550 5\.6\.0 Message has more than one From field/)
  assert.deepEqual(await door.inbox('bob@hamburger.edu'), [])
})

test('Who is logged in writes in nobody else’s name here', async (t) => {
  const door = await openDoor(t, { door: { role: 'submission' } })
  const refused = [
    'From: carol@hamburger.edu\r\n',
    'From: Carol <CAROL@Hamburger.EDU>\r\n',
    'From: "carol"@hamburger.edu\r\n',
    'From: carol@hamburger.edu.\r\n',
    'From: carol (x) @ hamburger.edu\r\n',
    'From: bob@hamburger.edu, carol+x@hamburger.edu\r\n',
    'From: nobody@hamburger.edu\r\n',
    'From: bob@hamburger.edu\r\nSender: carol@hamburger.edu\r\n',
    `From: ${Array.from({ length: 60 }, (_, i) => `a${i}@client.example`).join(', ')}\r\n`,
  ]
  for (const header of refused)
    assert.match(
      await submit(t, door, header),
      /^550 5\.7\.1 You are logged in as bob@hamburger\.edu/,
      header,
    )
  assert.deepEqual(await door.inbox('carol@hamburger.edu'), [])
  const taken = [
    'From: Bob <Bob@hamburger.edu>\r\n',
    'From: bob+lists@hamburger.edu\r\n',
    'From: cooks@hamburger.edu\r\nSender: bob@hamburger.edu\r\n',
    'From: ada@client.example\r\nSender: bob@hamburger.edu\r\n',
    '',
  ]
  for (const header of taken) assert.match(await submit(t, door, header), /^250/, header)
})

test('More recipients than one message may have are put off, and the others have their letter', async (t) => {
  const door = await openDoor(t, { limits: { recipients: 5 } })
  const one = await greet(t, door)
  one.send('MAIL FROM:<ada@client.example>\r\n')
  one.send('RCPT TO:<bob@hamburger.edu>\r\n'.repeat(100))
  one.send('DATA\r\nSubject: many\r\n\r\nx\r\n.\r\nQUIT\r\n')
  const replies = await one.rest()
  assert.equal(replies.match(/^452 4\.5\.3 /gm)?.length, 95)
  assert.match(replies, /\r\n354 .*\r\n250 2\.0\.0 .*\r\n221 /)
  assert.equal((await door.inbox('bob@hamburger.edu')).length, 1)
})

test('A domain of digits stays what was written', () => {
  for (const domain of ['0x7f.1', '2130706433', '1.2.3', '017700000001', 'XN--HAMBRGER-N4A.edu'])
    assert.equal(parsePath(new Cursor(`<bob@${domain}>`), 'RCPT').domain, domain.toLowerCase())
})
