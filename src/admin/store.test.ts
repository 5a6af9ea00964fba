import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { filing, itemOf } from '../../test/store/letters.ts'
import { FakeClock } from '../base/clock.ts'
import { defaultLimits } from '../base/limits.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { openStore } from '../store/open.ts'
import { createAdminApp } from './create-admin-app.ts'

async function setUp(t: TestContext) {
  const clock = new FakeClock()
  const surroundings = { clock, random: seededRandom(1), log: silentLog }
  const store = await openStore({ folder: temporaryFolder(t), limits: defaultLimits, surroundings })
  t.after(() => store.close())
  await store.addDomain('example.org')
  const { accountId } = await store.addAccount('ada@example.org', null)
  const app = createAdminApp({
    ...{ store, journeys: null, queue: null, clock, log: silentLog, status: null, stop: null },
    hashPassword: async () => '',
    domainsChanged: async () => {},
  })
  async function call(method: string, path: string, body?: unknown) {
    const text = body === undefined ? null : JSON.stringify(body)
    const response = await app.request(path, { method, body: text })
    // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever JSON comes
    return { status: response.status, body: (await response.json()) as any }
  }
  async function put(subject: string): Promise<void> {
    const text = `From: =?utf-8?Q?Z=C3=BCleyha?= <z@crepes.example>\r\nSubject: ${subject}\r\n\r\nHello\r\n`
    await store.accept([await itemOf(store, text, [filing(accountId)])])
  }
  return { store, clock, accountId, call, put }
}

test('expunged messages are listed with what a person knows them by, and put back', async (t) => {
  const { store, accountId, call, put, clock } = await setUp(t)
  await put('one')
  await put('two')
  await store.expunge(accountId, 1, [1])
  clock.advance(1_000)
  await store.expunge(accountId, 1, [2])
  const path = '/v1/undelete/Ada@example.org'
  const { messages } = (await call('GET', `${path}?headers=1`)).body
  assert.deepEqual(
    messages.map(({ id, from, subject, mailbox }: Record<string, unknown>) => [id, from, subject, mailbox]),
    [
      ['1:2', 'Züleyha <z@crepes.example>', 'two', 'INBOX'],
      ['1:1', 'Züleyha <z@crepes.example>', 'one', 'INBOX'],
    ],
  )
  assert.equal((await call('GET', `${path}?since=${clock.now()}&limit=5`)).body.messages.length, 1)
  assert.equal((await call('GET', `${path}?mailbox=Sent`)).body.messages.length, 0)
  const { body } = await call('POST', path, { messages: ['1:1', '1:7'] })
  assert.deepEqual(body.undeleted, [{ from: '1:1', to: '1:3' }])
  for (const bad of [{}, { messages: [] }, { messages: ['1'] }, { messages: 'x' }, { messages: [null] }])
    assert.equal((await call('POST', path, bad)).status, 400, JSON.stringify(bad))
  assert.equal((await call('GET', '/v1/undelete/eve@example.org')).status, 404)
})

test('a removed account is listed, named where somebody looks for it, and restored', async (t) => {
  const { call, put } = await setUp(t)
  await put('one')
  await call('DELETE', '/v1/accounts/ada@example.org')
  assert.equal((await call('GET', '/v1/undelete')).body.accounts[0].address, 'ada@example.org')
  const { status, body } = await call('GET', '/v1/undelete/ada@example.org')
  assert.deepEqual([status, /account restore/.test(body.error.remedy)], [404, true])
  assert.equal((await call('POST', '/v1/undelete/ada@example.org/account')).body.usedMessages, 1)
  assert.equal((await call('GET', '/v1/accounts/ada@example.org')).body.usedMessages, 1)
  assert.equal((await call('POST', '/v1/undelete/ada@example.org/account')).status, 404)
})

test('a quota is set one bound at a time, and a full account gets nothing back', async (t) => {
  const { store, accountId, call, put } = await setUp(t)
  const path = '/v1/accounts/ada@example.org/quota'
  assert.deepEqual((await call('PUT', path, { octets: 1_000 })).body.quotaOctets, 1_000)
  const { body } = await call('PUT', path, { messages: 1 })
  assert.deepEqual([body.quotaOctets, body.quotaMessages], [1_000, 1])
  for (const bad of [{ octets: -1 }, { octets: 1.5 }, { messages: 'x' }])
    assert.equal((await call('PUT', path, bad)).status, 400)
  await put('one')
  await put('two')
  await store.expunge(accountId, 1, [1])
  const refused = await call('POST', '/v1/undelete/ada@example.org', { messages: ['1:1'] })
  assert.deepEqual([refused.status, refused.body.error.code], [409, 'over-quota'])
  assert.deepEqual((await call('PUT', path, { octets: null, messages: null })).body.quotaOctets, null)
  assert.equal((await call('PUT', '/v1/accounts/eve@example.org/quota', { octets: 1 })).status, 404)
})

test('a pass is begun, asked about, and reports', async (t) => {
  const { call, put } = await setUp(t)
  await put('one')
  assert.equal((await call('GET', '/v1/store')).body.messages, 1)
  assert.equal((await call('POST', '/v1/store/clean')).status, 202)
  for (;;) {
    const { body } = await call('GET', '/v1/store/clean')
    if (!body.running) {
      assert.equal(body.report.orphanRows, 0)
      break
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})
