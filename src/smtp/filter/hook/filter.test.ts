import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type { HookConfig } from '../../../base/filter-config.ts'
import { defaultLimits } from '../../../base/limits.ts'
import { seededRandom, systemRandom } from '../../../base/random.ts'
import { makeSelfSigned } from '../../../tls/certificate.ts'
import type { FilterClient } from '../filter.ts'
import { openSession, sendMessage, testClient, testSurroundings } from '../filter-fixture.ts'
import { createHttpCaller } from '../http-call.ts'
import { KeeperPool } from '../keeper.ts'
import { type HttpScript, startHttp } from '../scripted-http.ts'
import { createHookFilter } from './filter.ts'

const letter =
  'Subject: =?utf-8?q?hi?=\r\nTo: bob@posthorn.example,\r\n carol@posthorn.example\r\n\r\nHi Bob\r\n'

async function begin(
  t: TestContext,
  script: HttpScript,
  changes: Partial<HookConfig> = {},
  client: Partial<FilterClient> = {},
) {
  const http = await startHttp(script)
  t.after(() => http.close())
  const config: HookConfig = {
    name: 'hook',
    doors: ['smtp'],
    onFailure: 'tempfail',
    maxOctets: 1_000_000,
    url: `http://hooks.example:${http.port}/mail?a=1`,
    timeoutMs: 5_000,
    requests: 2,
    stages: ['message'],
    secret: null,
    message: 'none',
    answerOctets: 10_000,
    ...changes,
  }
  const around = testSurroundings()
  const caller = createHttpCaller(config, around)
  t.after(() => caller.close())
  const pool = new KeeperPool(1_000_000)
  const parts = { around, caller, pool, random: seededRandom(1), limits: defaultLimits }
  const filter = createHookFilter(config, parts)
  const person = testClient(client)
  return { http, filter, pool, client: person, session: openSession(filter, person) }
}

const events = (heard: readonly { body: string }[]) => heard.map(({ body }) => JSON.parse(body))

test('a hook hears each stage it asked for, on one connection', async (t) => {
  const stages = ['connect', 'ehlo', 'mail', 'rcpt', 'data', 'message'] as const
  const account = { accountId: 1, address: 'bob@posthorn.example' }
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: null }
  const { http, session } = await begin(t, '{"action":"accept"}', { stages }, { account, tls })
  assert.equal(await session.connect!(), null)
  assert.equal(await session.hello!(), null)
  assert.equal(await session.mail!('ada@client.example', ['SIZE=10']), null)
  assert.equal(await session.rcpt!('bob@posthorn.example', ['NOTIFY=NEVER'], true), null)
  assert.equal(await session.rcpt!('nobody@posthorn.example', [], false), null)
  assert.equal(await session.data!(), null)
  assert.deepEqual(await sendMessage(session, letter, 7), {})
  const heard = events(http.heard)
  assert.deepEqual(
    heard.map(({ stage }) => stage),
    ['connect', 'ehlo', 'mail', 'rcpt', 'rcpt', 'data', 'message'],
  )
  assert.deepEqual(heard[0], {
    version: 1,
    hook: 'hook',
    stage: 'connect',
    server: { hostname: 'mx.posthorn.example', role: 'mx', address: '198.51.100.1', port: 25 },
    client: { address: '192.0.2.7', port: 4025, helo: 'client.example', extended: true, trusted: false },
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    account: 'bob@posthorn.example',
    envelope: null,
  })
  assert.deepEqual(heard[4].recipient, { path: 'nobody@posthorn.example', parameters: [], known: false })
  assert.equal(heard[6].id, 'journey1')
  assert.deepEqual(heard[6].envelope, {
    reversePath: 'ada@client.example',
    parameters: ['SIZE=10'],
    recipients: [{ path: 'bob@posthorn.example', parameters: ['NOTIFY=NEVER'] }],
  })
  assert.deepEqual(heard[6].message, {
    octets: letter.length,
    headers: [
      ['Subject', '=?utf-8?q?hi?='],
      ['To', 'bob@posthorn.example,\r\n carol@posthorn.example'],
    ],
  })
  assert.equal(http.heard[0]?.path, '/mail?a=1')
  assert.equal(http.connections, 1)
})

test('the message goes along as base64, or as a file', async (t) => {
  for (const pieceOctets of [1, 2, 7, 4_096]) {
    const inside = await begin(t, '', { message: 'base64' })
    await sendMessage(inside.session, letter, pieceOctets)
    const [event] = events(inside.http.heard)
    assert.equal(Buffer.from(event.messageBase64, 'base64').toString('latin1'), letter)
    inside.session.reset!()
    assert.equal(inside.pool.usedOctets, 0)
  }
  const file = await begin(t, '', { message: 'file' })
  await sendMessage(file.session, letter)
  const [{ headers, body } = assert.fail()] = file.http.heard
  const form = await new Response(Buffer.from(body, 'latin1'), {
    headers: { 'Content-Type': headers['content-type']! },
  }).formData()
  assert.equal(JSON.parse(form.get('event') as string).stage, 'message')
  const sent = form.get('message') as File
  assert.equal(sent.name, 'message.eml')
  assert.equal(Buffer.from(await sent.arrayBuffer()).toString('latin1'), letter)
})

test('a message too large to go along is said to be left out', async (t) => {
  const { http, session } = await begin(t, '', { message: 'base64', maxOctets: 10 })
  assert.deepEqual(await sendMessage(session, letter), {})
  const [event] = events(http.heard)
  assert.equal(event.message.omitted, 'too-large')
  assert.equal(event.messageBase64, undefined)
})

test('requests are signed over time and body', async (t) => {
  const { http, session } = await begin(t, '', { secret: 'horn' })
  await sendMessage(session, letter)
  const [{ headers, body } = assert.fail()] = http.heard
  const [, time, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['posthorn-signature']))!
  assert.equal(createHmac('sha256', 'horn').update(`${time}.${body}`).digest('hex'), hex)
})

test('each action does what it says', async (t) => {
  for (const [answer, ending] of [
    ['', {}],
    ['{}', {}],
    ['{"action":"discard"}', { discard: true }],
    ['{"action":"junk","text":"odd"}', { junk: 'odd' }],
    ['{"action":"quarantine"}', { junk: 'The hook says so' }],
    [
      '{"addHeaders":[{"name":"X-A","value":"one\\r\\nX-Evil: ü"}]}',
      { fields: ['X-A: one\r\n X-Evil: \xc3\xbc\r\n'] },
    ],
    [
      `{"modifications":{"reversePath":"","addRecipients":["a@b.example"],"removeRecipients":["c@d.example"],"message":"${btoa('A: b\r\n')}"}}`,
      {
        reversePath: '',
        addRecipients: ['a@b.example'],
        removeRecipients: ['c@d.example'],
        message: Buffer.from('A: b\r\n'),
      },
    ],
  ] as const) {
    const { session } = await begin(t, answer)
    assert.deepEqual(await sendMessage(session, letter), ending)
  }
})

test('refusals come in words and codes of the hook, or in ours', async (t) => {
  for (const [answer, reply] of [
    ['{"action":"reject"}', { code: 550, status: '5.7.1', lines: ['Message refused'] }],
    ['{"action":"tempfail","code":452}', { code: 452, status: '4.7.1', lines: ['Try again later'] }],
    [
      '{"action":"reject","code":554,"status":"5.6.0","text":"no\\nreally"}',
      { code: 554, status: '5.6.0', lines: ['no', 'really'] },
    ],
  ] as const) {
    const { session, client } = await begin(t, answer, { stages: ['mail', 'message'] })
    assert.deepEqual((await session.mail!('ada@client.example', []))?.reply, reply)
    assert.deepEqual((await sendMessage(session, letter)).refusal?.reply, reply)
    assert.equal(client.events[0]?.['code'], reply.code)
  }
})

test('what is no answer counts as a failure', async (t) => {
  const answers: HttpScript[] = [
    'no JSON',
    '[]',
    '{"action":"explode"}',
    '{"action":"reject","code":250}',
    '{"action":"tempfail","status":"5.1.1"}',
    '{"addHeaders":[{"name":"X:\\r\\nY","value":"z"}]}',
    '{"addHeaders":"X"}',
    '{"modifications":{"addRecipients":[1]}}',
    '{"modifications":{"reversePath":"a@b.example>\\r\\nDATA"}}',
    `{"text":"${'x'.repeat(20_000)}"}`,
    (_heard, answer) => void answer.writeHead(500).end('{}'),
    (_heard, answer) => void answer.writeHead(302, { Location: '/' }).end(),
    (_heard, answer) =>
      void answer.writeHead(200, { 'Content-Length': '100' }).write('{}', () => answer.destroy()),
    (_heard, answer) => void answer.destroy(),
    () => {},
  ]
  for (const answer of answers) {
    const strict = await begin(t, answer, { timeoutMs: 100 })
    assert.equal((await sendMessage(strict.session, letter)).refusal?.reply.code, 451)
    const lax = await begin(t, answer, { timeoutMs: 100, onFailure: 'accept' })
    assert.deepEqual(await sendMessage(lax.session, letter), {})
    assert.equal(lax.client.events[0]?.['answer'], 'failed')
  }
  const early = await begin(t, '{"action":"discard"}', { stages: ['mail'] })
  assert.equal((await early.session.mail!('ada@client.example', []))?.reply.code, 451)
})

test('no more requests at once than configured, however many sessions ask', async (t) => {
  const { http, filter } = await begin(t, (_heard, answer) => {
    setImmediate(() => answer.end('{}'))
  })
  const sessions = Array.from({ length: 10 }, () => openSession(filter, testClient()))
  await Promise.all(sessions.map((session) => sendMessage(session, letter)))
  assert.equal(http.heard.length, 10)
  assert.ok(http.atOnce <= 2)
  assert.ok(http.connections <= 2)
})

test('a kept connection that the hook has closed meanwhile is no failure', async (t) => {
  const { http, session } = await begin(
    t,
    (heard, answer) => {
      // Closed without a word to that effect: we still believe it open when the next request goes out.
      answer.end('{}', () => heard.body.includes('first@') && answer.socket?.destroy())
    },
    { stages: ['mail'] },
  )
  assert.equal(await session.mail!('first@client.example', []), null)
  assert.equal(await session.mail!('second@client.example', []), null)
  assert.equal(http.connections, 2)
})

test('a transaction that is over ends its request', async (t) => {
  const asked = Promise.withResolvers<void>()
  const { session } = await begin(t, () => asked.resolve())
  const ending = sendMessage(session, letter)
  await asked.promise
  session.reset!()
  assert.equal((await ending).refusal?.reply.code, 451)
})

test('https is believed only with a certificate for the name', async (t) => {
  const certify = (hostnames: string[]) =>
    makeSelfSigned({ hostnames }, { nowMs: Date.now(), random: systemRandom })
  for (const [name, code] of [
    ['hooks.example', undefined],
    ['other.example', 451],
  ] as const) {
    const { certificate, key } = certify([name])
    const http = await startHttp('{}', { cert: certificate, key })
    t.after(() => http.close())
    const config: HookConfig = {
      ...{
        name: 'hook',
        doors: ['smtp'],
        onFailure: 'tempfail',
        maxOctets: 1,
        timeoutMs: 5_000,
        requests: 1,
      },
      ...{ stages: ['message'], secret: null, message: 'none', answerOctets: 1_000 },
      url: `https://hooks.example:${http.port}/`,
    }
    const around = testSurroundings({ authorities: [certificate] })
    const caller = createHttpCaller(config, around)
    t.after(() => caller.close())
    const parts = { around, caller, pool: new KeeperPool(1), random: systemRandom, limits: defaultLimits }
    const session = openSession(createHookFilter(config, parts), testClient())
    assert.equal((await sendMessage(session, letter)).refusal?.reply.code, code)
  }
})
