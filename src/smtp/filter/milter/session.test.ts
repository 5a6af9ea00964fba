import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { MilterConfig } from '../../../base/filter-config.ts'
import { defaultLimits } from '../../../base/limits.ts'
import type { FilterClient } from '../filter.ts'
import { openSession, sendMessage, testClient, testSurroundings } from '../filter-fixture.ts'
import { KeeperPool } from '../keeper.ts'
import type { Reach } from '../reach.ts'
import { createMilterFilter } from './filter.ts'
import { type Script, type ScriptedMilter, startMilter, uint32 } from './scripted-milter.ts'
import { step } from './protocol.ts'

const letter = 'Subject: hello\r\nTo: bob@posthorn.example,\r\n carol@posthorn.example\r\n\r\nHi Bob\r\n'

interface Options {
  readonly negotiated?: Parameters<typeof startMilter>[1]
  readonly config?: Partial<MilterConfig>
  readonly client?: Partial<FilterClient>
  readonly reach?: Reach
}

async function begin(t: TestContext, script: Script, options: Options = {}) {
  const milter = await startMilter(script, options.negotiated)
  t.after(() => milter.close())
  const config: MilterConfig = {
    name: 'scripted',
    doors: ['smtp'],
    place: { kind: 'inet', host: '127.0.0.1', port: milter.port },
    onFailure: 'tempfail',
    connectTimeoutMs: 5_000,
    commandTimeoutMs: 5_000,
    contentTimeoutMs: 5_000,
    maxOctets: 1_000_000,
    ...options.config,
  }
  const pool = new KeeperPool(1_000_000)
  const client = testClient(options.client)
  const session = openSession(
    createMilterFilter(
      config,
      defaultLimits,
      testSurroundings(options.reach === undefined ? {} : { reach: options.reach }),
      pool,
    ),
    client,
  )
  t.after(() => session.close?.())
  return { milter, session, client, pool }
}

type Begun = Awaited<ReturnType<typeof begin>>

async function envelope({ session }: Begun): Promise<void> {
  assert.equal(await session.connect!(), null)
  assert.equal(await session.hello!(), null)
  assert.equal(await session.mail!('ada@client.example', ['SIZE=10']), null)
  assert.equal(await session.rcpt!('bob@posthorn.example', [], true), null)
  assert.equal(await session.data!(), null)
}

const commands = (milter: ScriptedMilter): string[] => milter.heard.filter((one) => !one.startsWith('D'))

async function heard(milter: ScriptedMilter, last: string): Promise<void> {
  while (!milter.heard.includes(last)) await new Promise((resolve) => setImmediate(resolve))
}

test('a milter hears the whole letter, step by step, with the facts of each', async (t) => {
  const begun = await begin(t, {})
  await envelope(begun)
  assert.deepEqual(await sendMessage(begun.session, letter, 7), {})
  begun.session.reset!()
  begun.session.close!()
  await heard(begun.milter, 'Q')
  const port = '\x0f\xb9'
  assert.deepEqual(commands(begun.milter), [
    `Cmail.client.example|4${port}192.0.2.7|`,
    'Hclient.example|',
    'M<ada@client.example>|SIZE=10|',
    'R<bob@posthorn.example>|',
    'T',
    'LSubject|hello|',
    'LTo|bob@posthorn.example,\n carol@posthorn.example|',
    'N',
    'BHi Bob\r\n',
    'E',
    'Q',
  ])
  const macros = begun.milter.heard.filter((one) => one.startsWith('D'))
  assert.deepEqual(macros, [
    'DCj|mx.posthorn.example|v|Posthorn|_|mail.client.example [192.0.2.7]|{daemon_name}|smtp|' +
      '{daemon_addr}|198.51.100.1|{daemon_port}|25|{client_addr}|192.0.2.7|{client_name}|mail.client.example|{client_port}|4025|',
    'DM{mail_addr}|ada@client.example|{mail_host}|client.example|{mail_mailer}|smtp|',
    'DR{rcpt_addr}|bob@posthorn.example|{rcpt_host}|posthorn.example|{rcpt_mailer}|local|',
    'DEi|journey1|',
  ])
  const [event] = begun.client.events
  assert.equal(event?.['filter'], 'scripted')
  assert.equal(event?.['answer'], 'continue')
  assert.equal(typeof event?.['us'], 'number')
})

test('TLS, a log-in and macros that the milter chose itself', async (t) => {
  const begun = await begin(
    t,
    {},
    {
      negotiated: { macros: `${uint32(2)}{auth_authen} {cipher_bits} j\0` },
      client: {
        tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: null },
        account: { accountId: 1, address: 'bob@posthorn.example' },
      },
    },
  )
  await envelope(begun)
  assert.ok(
    begun.milter.heard.includes('DH{tls_version}|TLSv1.3|{cipher}|TLS_AES_256_GCM_SHA384|{cipher_bits}|256|'),
  )
  const chosen = 'DM{auth_authen}|bob@posthorn.example|{cipher_bits}|256|j|mx.posthorn.example|'
  assert.ok(begun.milter.heard.includes(chosen))
})

test('steps a milter leaves out are not told, and quiet ones not waited for', async (t) => {
  const { noConnect, noHelo, noRcpt, noData, noEndOfHeader, noBody, quietMail, quietHeader } = step
  const steps = noConnect | noHelo | noRcpt | noData | noEndOfHeader | noBody | quietMail | quietHeader
  const begun = await begin(t, { M: [], L: [] }, { negotiated: { steps } })
  await envelope(begun)
  assert.deepEqual(await sendMessage(begun.session, letter), {})
  const told = commands(begun.milter).map((one) => one[0])
  assert.deepEqual(told, ['M', 'L', 'L', 'E'])
})

test('each stage can be refused, for good or for now, and in words of the milter', async (t) => {
  for (const [step, answer, code] of [
    ['C', 'r', 554],
    ['C', 't', 421],
    ['H', 'r', 550],
    ['M', 't', 451],
    ['R', 'y553 5.1.2 Not that one\0', 553],
    ['T', '4', 421],
    ['L', 'r', 550],
    ['N', 't', 451],
    ['B', 'y550 5.7.9 Bad words\0', 550],
    ['E', 'r', 550],
  ] as const) {
    const { session, client } = await begin(t, { [step]: [answer] })
    const answers = [
      await session.connect!(),
      await session.hello!(),
      await session.mail!('ada@client.example', []),
      await session.rcpt!('bob@posthorn.example', [], true),
      await session.data!(),
      (await sendMessage(session, letter)).refusal ?? null,
    ]
    const at = { C: 0, H: 1, M: 2, R: 3, T: 4, L: 5, N: 5, B: 5, E: 5 }[step]
    assert.equal(answers[at]?.reply.code, code, `${step} ${answer}`)
    assert.ok(client.events.some((event) => event['kind'] === 'refuse' && event['code'] === code))
  }
})

test('one recipient refused leaves the others', async (t) => {
  const begun = await begin(t, { R: (data) => [data.startsWith('<eve') ? 'r' : 'c'] })
  await envelope(begun)
  assert.equal((await begun.session.rcpt!('eve@posthorn.example', [], true))?.reply.code, 550)
  assert.equal(await begun.session.rcpt!('carol@posthorn.example', [], true), null)
  assert.deepEqual(await sendMessage(begun.session, letter), {})
})

test('recipients that we refuse are told only to a milter that wants them', async (t) => {
  const plain = await begin(t, {})
  await plain.session.mail!('ada@client.example', [])
  await plain.session.rcpt!('nobody@posthorn.example', [], false)
  assert.ok(!commands(plain.milter).some((one) => one.startsWith('R')))
  const curious = await begin(t, {}, { negotiated: { steps: step.refusedRecipients } })
  await curious.session.mail!('ada@client.example', [])
  await curious.session.rcpt!('nobody@posthorn.example', [], false)
  assert.ok(curious.milter.heard.includes('R<nobody@posthorn.example>|'))
  assert.ok(
    curious.milter.heard.includes('DR{rcpt_addr}|No such user here|{rcpt_host}|5.1.1|{rcpt_mailer}|error|'),
  )
})

test('accept ends what a milter hears: of the connection, or of the message', async (t) => {
  const whole = await begin(t, { H: ['a'] })
  await envelope(whole)
  assert.deepEqual(await sendMessage(whole.session, letter), {})
  assert.deepEqual(
    commands(whole.milter).map((one) => one[0]),
    ['C', 'H'],
  )
  const one = await begin(t, { M: ['a'] })
  await envelope(one)
  assert.deepEqual(await sendMessage(one.session, letter), {})
  one.session.reset!()
  await one.session.mail!('second@client.example', [])
  assert.deepEqual(
    commands(one.milter).map((command) => command[0]),
    ['C', 'H', 'M', 'A', 'M'],
  )
})

test('discard, quarantine, and progress before the verdict', async (t) => {
  const lost = await begin(t, { R: ['d'] })
  await envelope(lost)
  assert.deepEqual(await sendMessage(lost.session, letter), { discard: true })
  const junk = await begin(t, { E: ['p', 'p', 'qlooks odd\0', 'a'] })
  await envelope(junk)
  assert.deepEqual(await sendMessage(junk.session, letter), { junk: 'looks odd' })
})

test('fields that are added go above the message, which is not written anew', async (t) => {
  const begun = await begin(t, { E: [`i${uint32(1)}X-First\0one\0`, 'hX-Second\0two\n more\0', 'c'] })
  await envelope(begun)
  assert.deepEqual(await sendMessage(begun.session, letter), {
    fields: ['X-First: one\r\n', 'X-Second: two\r\n more\r\n'],
  })
})

test('fields changed and removed, and a new body, make a message anew', async (t) => {
  const begun = await begin(t, {
    E: [
      `m${uint32(1)}Subject\0[odd] hello\0`,
      `m${uint32(1)}To\0\0`,
      `i${uint32(2)}X-Second\0two\0`,
      'hX-Last\0last\r\nX-Evil: no\0',
      'bnew bo',
      'bdy\n',
      'e<changed@client.example>\0',
      '+<carol@posthorn.example>\0',
      '-<bob@posthorn.example>\0',
      'c',
    ],
  })
  await envelope(begun)
  const ending = await sendMessage(begun.session, letter, 5)
  const { message, ...rest } = ending
  assert.equal(
    Buffer.from(message!).toString('latin1'),
    'Subject: [odd] hello\r\nX-Second: two\r\nX-Last: last\r\n X-Evil: no\r\n\r\nnew body\r\n',
  )
  assert.deepEqual(rest, {
    reversePath: 'changed@client.example',
    addRecipients: ['carol@posthorn.example'],
    removeRecipients: ['bob@posthorn.example'],
  })
  begun.session.reset!()
  assert.equal(begun.pool.usedOctets, 0)
})

test('what was not negotiated is not done', async (t) => {
  const begun = await begin(t, { E: ['bother', 'q!\0', 'hX-A\0one\0', 'c'] }, { negotiated: { actions: 1 } })
  await envelope(begun)
  assert.deepEqual(await sendMessage(begun.session, letter), { fields: ['X-A: one\r\n'] })
})

test('values keep their own space when the milter asked for it', async (t) => {
  const negotiated = { steps: step.leadingSpace }
  const begun = await begin(t, { E: ['hX-A\0\tone\0', 'c'] }, { negotiated })
  await envelope(begun)
  assert.deepEqual(await sendMessage(begun.session, letter), { fields: ['X-A:\tone\r\n'] })
  assert.ok(begun.milter.heard.includes('LSubject| hello|'))
})

test('a large body comes in pieces of 65,535 octets, until the milter has seen enough', async (t) => {
  const body = 'x'.repeat(998) + '\r\n'
  const long = `Subject: long\r\n\r\n${body.repeat(200)}`
  const all = await begin(t, {})
  await envelope(all)
  await sendMessage(all.session, long, 10_000)
  const pieces = commands(all.milter).filter((one) => one.startsWith('B'))
  assert.deepEqual(
    pieces.map((piece) => piece.length - 1),
    [65_535, 65_535, 65_535, 200_000 - 3 * 65_535],
  )
  assert.equal(pieces.map((piece) => piece.slice(1)).join(''), body.repeat(200))
  const enough = await begin(t, { B: ['s'] }, { negotiated: { steps: step.skip } })
  await envelope(enough)
  await sendMessage(enough.session, long, 10_000)
  assert.equal(commands(enough.milter).filter((one) => one.startsWith('B')).length, 1)
  assert.equal(commands(enough.milter).at(-1), 'E')
})

test('a change to a message that was too large to be kept is answered as a failure', async (t) => {
  const begun = await begin(t, { E: [`m${uint32(1)}Subject\0x\0`, 'c'] }, { config: { maxOctets: 20 } })
  await envelope(begun)
  assert.equal((await sendMessage(begun.session, letter)).refusal?.reply.code, 451)
  assert.equal(begun.pool.usedOctets, 0)
})

test('a milter that fails: 451 for each message, or none of its business', async (t) => {
  for (const script of [
    { M: 'close' },
    { M: ['?'] },
    { M: [`i${uint32(1)}X\0y\0`] },
    { M: [] },
  ] as Script[]) {
    const short = { commandTimeoutMs: 50 }
    const strict = await begin(t, script, { config: short })
    await strict.session.connect!()
    assert.equal((await strict.session.mail!('ada@client.example', []))?.reply.code, 451)
    assert.equal((await strict.session.mail!('ada@client.example', []))?.reply.code, 451)
    const lax = await begin(t, script, { config: { ...short, onFailure: 'accept' } })
    await envelope(lax)
    assert.deepEqual(await sendMessage(lax.session, letter), {})
    assert.ok(lax.client.events.some((event) => event['answer'] === 'failed'))
  }
})

test('a milter that is not there is found out at connect and answered for at MAIL', async (t) => {
  const begun = await begin(t, {})
  await begun.milter.close()
  assert.equal(await begun.session.connect!(), null)
  assert.equal(await begun.session.hello!(), null)
  assert.equal((await begun.session.mail!('ada@client.example', []))?.reply.code, 451)
})

test('two letters of one session share a connection, and RSET is an ABORT', async (t) => {
  const begun = await begin(t, {})
  await envelope(begun)
  await sendMessage(begun.session, letter)
  begun.session.reset!()
  await begun.session.mail!('second@client.example', [])
  begun.session.reset!()
  await begun.session.mail!('third@client.example', [])
  const told = commands(begun.milter).map((one) => one[0])
  assert.deepEqual(told.slice(told.indexOf('E')), ['E', 'M', 'A', 'M'])
  assert.equal(begun.milter.connections, 1)
})

test('a session that ends while the milter thinks leaves nothing behind', async (t) => {
  const begun = await begin(t, { E: [] })
  await envelope(begun)
  const ending = sendMessage(begun.session, letter)
  await heard(begun.milter, 'E')
  begun.session.reset!()
  begun.session.close!()
  await ending
  while (begun.milter.openConnections > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(begun.pool.usedOctets, 0)
})

test('a message without a header is all body', async (t) => {
  const begun = await begin(t, { E: [`m${uint32(1)}Subject\0given\0`, 'c'] })
  await envelope(begun)
  const { message } = await sendMessage(begun.session, 'Hi Bob\r\nhow are you\r\n')
  assert.ok(begun.milter.heard.includes('BHi Bob\r\nhow are you\r\n'))
  assert.equal(Buffer.from(message!).toString(), 'Subject: given\r\n\r\nHi Bob\r\nhow are you\r\n')
})

test('a question asked while the door no longer waits for the last one ends the dialogue', async (t) => {
  const begun = await begin(t, { M: [] })
  await begun.session.connect!()
  const first = begun.session.mail!('ada@client.example', [])
  await heard(begun.milter, 'M<ada@client.example>|')
  assert.equal((await begun.session.mail!('ada@client.example', []))?.reply.code, 451)
  assert.equal((await first)?.reply.code, 451)
})

test('whatever octets a milter sends, each letter is answered', async (t) => {
  let noise: Uint8Array = Buffer.alloc(0)
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('data', () => socket.write(noise))
    // A good negotiation first, every other time.
    if (noise.length % 2 === 0) socket.write(Buffer.from('0000000d4f00000006000001ff00000000', 'hex'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const place = { kind: 'inet', host: '127.0.0.1', port: (server.address() as AddressInfo).port } as const
  const packet = fc
    .tuple(fc.constantFrom(...'catrdspyhimbe+-q?O'), fc.uint8Array({ maxLength: 12 }))
    .map(([one, data]) => Buffer.concat([Buffer.from([0, 0, 0, data.length + 1]), Buffer.from(one), data]))
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(packet, { maxLength: 4 }).map((all) => Buffer.concat(all)),
  )
  const property = fc.asyncProperty(octets, async (sent) => {
    noise = sent
    const begun = await begin(t, {}, { config: { place, commandTimeoutMs: 20, contentTimeoutMs: 20 } })
    await begun.session.connect!()
    await begun.session.mail!('ada@client.example', [])
    await begun.session.rcpt!('bob@posthorn.example', [], true)
    assert.equal(typeof (await sendMessage(begun.session, letter)), 'object')
    begun.session.reset!()
    begun.session.close!()
    assert.equal(begun.pool.usedOctets, 0)
    await begun.milter.close()
  })
  await fc.assert(property, { numRuns: 40 })
})

test('a milter that is reached when the door has given up is let go at once', async (t) => {
  const reached = Promise.withResolvers<void>()
  const reach: Reach = async (place, timeoutMs) => {
    await reached.promise
    return testSurroundings().reach(place, timeoutMs)
  }
  const begun = await begin(t, {}, { reach })
  const connecting = begun.session.connect!()
  begun.session.reset!()
  reached.resolve()
  await connecting
  while (begun.milter.connections === 0 || begun.milter.openConnections > 0)
    await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await begun.session.mail!('ada@client.example', []))?.reply.code, 451)
})

test('a client over IPv6 is told as one', async (t) => {
  const begun = await begin(t, {}, { client: { remoteAddress: '2001:db8::7' } })
  await begun.session.connect!()
  assert.equal(commands(begun.milter)[0], 'Cmail.client.example|6\x0f\xb92001:db8::7|')
})
