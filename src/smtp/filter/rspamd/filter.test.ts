import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { RspamdConfig } from '../../../base/filter-config.ts'
import { defaultLimits } from '../../../base/limits.ts'
import type { FilterClient } from '../filter.ts'
import { openSession, sendMessage, testClient, testSurroundings } from '../filter-fixture.ts'
import { createHttpCaller } from '../http-call.ts'
import { JsonFault } from '../json.ts'
import { KeeperPool } from '../keeper.ts'
import { startHttp } from '../scripted-http.ts'
import { readRspamdAnswer } from './answer.ts'
import { createRspamdFilter } from './filter.ts'

const letter = 'Subject: hello\r\nX-Spam: No\r\nX-Gone: 1\r\nx-gone: 2\r\n\r\nHi Bob\r\n'

async function begin(
  t: TestContext,
  answer: object | string,
  changes: Partial<RspamdConfig> = {},
  client: Partial<FilterClient> = {},
) {
  const http = await startHttp(typeof answer === 'string' ? answer : JSON.stringify(answer))
  t.after(() => http.close())
  const config: RspamdConfig = {
    name: 'rspamd',
    doors: ['smtp'],
    onFailure: 'tempfail',
    maxOctets: 1_000_000,
    url: `http://127.0.0.1:${http.port}/`,
    timeoutMs: 5_000,
    requests: 2,
    rejectScore: null,
    junkScore: null,
    ...changes,
  }
  const around = testSurroundings()
  const caller = createHttpCaller(config, around)
  t.after(() => caller.close())
  const pool = new KeeperPool(1_000_000)
  const filter = createRspamdFilter(config, { around, caller, pool, limits: defaultLimits })
  const person = testClient(client)
  return { http, pool, client: person, session: openSession(filter, person) }
}

const says = (action: string, score = 1, more: object = {}) => ({
  action,
  score,
  required_score: 15,
  ...more,
})

test('the message goes to /checkv2 with what is known of its way', async (t) => {
  const account = { accountId: 1, address: 'bob@posthorn.example' }
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: null }
  const begun = await begin(
    t,
    says('no action', 0.5, { symbols: { MISSING_DATE: {} } }),
    {},
    { account, tls },
  )
  assert.deepEqual(await sendMessage(begun.session, letter, 5), {})
  const [heard] = begun.http.heard
  assert.equal(heard?.path, '/checkv2')
  assert.equal(heard?.body, letter)
  const { headers } = heard!
  assert.deepEqual(
    ['ip', 'helo', 'hostname', 'from', 'rcpt', 'queue-id', 'deliver-to', 'user', 'tls-version'].map(
      (name) => headers[name],
    ),
    [
      ...['192.0.2.7', 'client.example', 'mail.client.example', 'ada@client.example', 'bob@posthorn.example'],
      ...['journey1', 'bob@posthorn.example', 'bob@posthorn.example', 'TLSv1.3'],
    ],
  )
  const [event] = begun.client.events
  assert.deepEqual(
    [event?.['answer'], event?.['score'], event?.['required'], event?.['symbols']],
    ['no action', 0.5, 15, ['MISSING_DATE']],
  )
  begun.session.reset!()
  assert.equal(begun.pool.usedOctets, 0)
})

test('each action is done', async (t) => {
  for (const [answer, expected] of [
    [says('no action'), {}],
    [says('greylist'), {}],
    [says('something of their own'), {}],
    [says('add header', 6), { junk: 'Rspamd: 6 of 15', fields: ['X-Spam: Yes\r\n'] }],
    [says('discard'), { discard: true }],
  ] as const) {
    const { session } = await begin(t, answer)
    assert.deepEqual(await sendMessage(session, letter), expected)
  }
  for (const [answer, reply] of [
    [says('reject', 20), { code: 554, status: '5.7.1', lines: ['Message refused as spam'] }],
    [says('soft reject'), { code: 451, status: '4.7.1', lines: ['Try again later'] }],
    [
      says('soft reject', 1, { messages: { smtp_message: 'Greylisted' } }),
      { code: 451, status: '4.7.1', lines: ['Greylisted'] },
    ],
  ] as const) {
    const { session } = await begin(t, answer)
    assert.deepEqual((await sendMessage(session, letter)).refusal?.reply, reply)
  }
})

test('fields are added and removed, and a subject is rewritten', async (t) => {
  const milter = {
    add_headers: {
      'X-One': 'one',
      'X-Two': { value: 'two\r\nX-Evil: no', order: 1 },
      'X-Three': [{ value: '3' }, 'three'],
    },
    remove_headers: { 'X-Spam': 0, 'X-Gone': -1, 'X-Absent': 1 },
  }
  const begun = await begin(t, says('rewrite subject', 8, { subject: '*** hellö', milter }))
  const { message, ...rest } = await sendMessage(begun.session, letter)
  assert.equal(
    Buffer.from(message!).toString('latin1'),
    'Subject: *** hell\xc3\xb6\r\nX-Gone: 1\r\n\r\nHi Bob\r\n',
  )
  assert.deepEqual(rest, {
    junk: 'Rspamd: 8 of 15',
    fields: [
      ...['X-One: one\r\n', 'X-Two: two\r\n X-Evil: no\r\n', 'X-Three: 3\r\n', 'X-Three: three\r\n'],
      'X-Spam: Yes\r\n',
    ],
  })
})

test('thresholds of ours take the place of its own', () => {
  const action = (said: string, score: number, rejectScore: number | null, junkScore: number | null) =>
    readRspamdAnswer(Buffer.from(JSON.stringify(says(said, score))), { rejectScore, junkScore }).action
  assert.equal(action('no action', 10, 10, null), 'reject')
  assert.equal(action('reject', 15, 20, null), 'junk')
  assert.equal(action('reject', 15, null, 5), 'reject')
  assert.equal(action('no action', 5, null, 5), 'junk')
  assert.equal(action('add header', 6, null, 7), 'pass')
  assert.equal(action('rewrite subject', 8, null, 7), 'subject')
  assert.equal(action('soft reject', 20, 10, 5), 'later')
})

test('what is too large goes on unchecked, and what fails as configured', async (t) => {
  const large = await begin(t, says('reject'), { maxOctets: 10 })
  assert.deepEqual(await sendMessage(large.session, letter), {})
  assert.equal(large.client.events[0]?.['answer'], 'too-large')
  assert.equal(large.http.heard.length, 0)
  for (const answer of ['', 'no JSON', '{"action":1}', '{"action":"reject"}']) {
    const strict = await begin(t, answer)
    assert.equal((await sendMessage(strict.session, letter)).refusal?.reply.code, 451)
    const lax = await begin(t, answer, { onFailure: 'accept' })
    assert.deepEqual(await sendMessage(lax.session, letter), {})
    assert.equal(lax.client.events[0]?.['answer'], 'failed')
  }
})

test('any JSON is an answer or a fault', () => {
  const none = { rejectScore: null, junkScore: null }
  const piece = fc.jsonValue({ maxDepth: 2 })
  const near = fc.record(
    {
      action: fc.string(),
      score: fc.double(),
      milter: piece,
      symbols: piece,
      messages: piece,
      subject: piece,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(near, (value) => {
      try {
        const answer = readRspamdAnswer(Buffer.from(JSON.stringify(value)), none)
        for (const field of answer.fields)
          assert.match(field, /^[\x21-\x39\x3b-\x7e]+:(?:[^\r\n]|\r\n[ \t])*\r\n$/)
      } catch (error) {
        assert.ok(error instanceof JsonFault, String(error))
      }
    }),
  )
})
