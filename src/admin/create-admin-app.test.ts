import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { defaultLimits } from '../base/limits.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import type { Journey, JourneyQuery } from '../journey/event.ts'
import { MessageScanner } from '../message/scan.ts'
import { openStore } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { createAdminApp } from './create-admin-app.ts'
import { noWishes } from '../store/queue.ts'

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever JSON comes
  readonly body: any
}

const hash =
  '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$dGFndGFndGFndGFndGFndGFndGFndGFndGFndGFndGE'

async function setUp(t: TestContext) {
  const clock = new FakeClock()
  const store = await openStore({
    folder: temporaryFolder(t),
    limits: defaultLimits,
    surroundings: { clock, random: seededRandom(1), log: silentLog },
  })
  t.after(() => store.close())
  const asked: JourneyQuery[] = []
  const journey: Journey = { journeyId: 'abc', startedAt: 1, facts: {}, events: [] }
  const happened = { stops: 0, domains: 0 }
  const app = createAdminApp({
    store,
    journeys: {
      async find(query) {
        asked.push(query)
        return query.journeyId === 'none' ? [] : [journey]
      },
    },
    queue: null,
    clock,
    log: silentLog,
    async hashPassword(password) {
      if (password.includes('\x01')) throw new RangeError('bad')
      return hash.replace('c2FsdHNhbHRz', 'aGFzaGVkaGVy')
    },
    status: null,
    stop: () => happened.stops++,
    domainsChanged: async () => void happened.domains++,
  })
  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
    const response = await app.request(path, { method, body: text })
    return { status: response.status, body: await response.json() }
  }
  return { store, clock, asked, happened, call }
}

function assertRefused(answer: Answer, status: number, code: string, remedy: RegExp): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  assert.equal(answer.body.error.code, code)
  assert.match(answer.body.error.remedy, remedy)
  assert.equal(typeof answer.body.error.message, 'string')
}

test('a domain is added, listed and removed; what is wrong is said', async (t) => {
  const { call, happened } = await setUp(t)
  const added = (await call('POST', '/v1/domains', { domain: 'Hamburger.EDU' })).body
  assert.deepEqual([added.domain, added.keys.length], ['hamburger.edu', 2])
  assert.deepEqual((await call('GET', '/v1/domains')).body, { domains: ['hamburger.edu'], backups: [] })
  assertRefused(
    await call('POST', '/v1/domains', { domain: 'hamburger.edu' }),
    409,
    'name-taken',
    /another name/,
  )
  assertRefused(await call('POST', '/v1/domains', { domain: 'a b' }), 400, 'bad-domain', /domain\.example/)
  assertRefused(await call('POST', '/v1/domains', {}), 400, 'bad-field', /"domain"/)
  assertRefused(await call('POST', '/v1/domains', '{'), 400, 'bad-json', /JSON/)
  assertRefused(await call('POST', '/v1/domains', '[]'), 400, 'bad-json', /object/)
  await call('POST', '/v1/accounts', { address: 'bob@hamburger.edu', password: 'hungry' })
  assertRefused(
    await call('DELETE', '/v1/domains/hamburger.edu'),
    409,
    'domain-in-use',
    /accounts and aliases/,
  )
  await call('DELETE', '/v1/accounts/bob@hamburger.edu')
  assert.equal((await call('DELETE', '/v1/domains/hamburger.edu')).status, 200)
  assertRefused(await call('DELETE', '/v1/domains/hamburger.edu'), 404, 'domain-unknown', /domain list/)
  assert.equal(happened.domains, 2)
})

test('an account is added with a password or a finished hash, and shown without either', async (t) => {
  const { call, store } = await setUp(t)
  await store.addDomain('hamburger.edu')
  const added = await call('POST', '/v1/accounts', { address: 'Bob@hamburger.edu', password: 'hungry' })
  assert.equal(added.status, 201)
  assert.deepEqual(Object.keys(added.body), [
    'address',
    'usedOctets',
    'usedMessages',
    'quotaOctets',
    'quotaMessages',
    'canLogIn',
  ])
  assert.equal(added.body.address, 'bob@hamburger.edu')
  assert.match((await store.findAccount('bob@hamburger.edu'))?.passwordHash ?? '', /aGFzaGVkaGVy/)
  await call('POST', '/v1/accounts', { address: 'carol@hamburger.edu', password: hash })
  assert.equal((await store.findAccount('carol@hamburger.edu'))?.passwordHash, hash)
  assert.equal((await call('PUT', '/v1/accounts/bob@hamburger.edu/password', { password: hash })).status, 200)
  assert.equal((await store.findAccount('bob@hamburger.edu'))?.passwordHash, hash)
  assert.equal((await call('GET', '/v1/accounts')).body.accounts.length, 2)
})

test('an account that cannot be added is refused with what to do', async (t) => {
  const { call, store } = await setUp(t)
  await store.addDomain('hamburger.edu')
  await call('POST', '/v1/accounts', { address: 'bob@hamburger.edu', password: 'hungry' })
  const add = (address: string, password: unknown) => call('POST', '/v1/accounts', { address, password })
  assertRefused(await add('bob@hamburger.edu', 'x'), 409, 'name-taken', /account password bob@hamburger\.edu/)
  assertRefused(await add('bob@crepes.fr', 'x'), 404, 'domain-unknown', /posthorn domain add crepes\.fr/)
  assertRefused(await add('bob', 'x'), 400, 'bad-address', /name@domain/)
  assertRefused(await add('ann@hamburger.edu', ''), 400, 'bad-field', /"password"/)
  assertRefused(await add('ann@hamburger.edu', 7), 400, 'bad-field', /"password"/)
  assertRefused(await add('ann@hamburger.edu', '\x01'), 400, 'bad-password', /control characters/)
  assertRefused(await add('ann@hamburger.edu', '$2b$10$abcdefghijk'), 400, 'bad-hash', /argon2id/)
  assertRefused(await add('ann@hamburger.edu', '{SSHA}abcd'), 400, 'bad-hash', /argon2id/)
  assertRefused(
    await call('PUT', '/v1/accounts/x@hamburger.edu/password', { password: 'x' }),
    404,
    'account-unknown',
    /list/,
  )
  assertRefused(await call('DELETE', '/v1/accounts/x@hamburger.edu'), 404, 'account-unknown', /list/)
})

test('lines of accounts are all added, or none, and the line that is wrong is named', async (t) => {
  const { call, store } = await setUp(t)
  await store.addDomain('hamburger.edu')
  const bulk = (text: string, query = '') => call('POST', `/v1/accounts/bulk${query}`, text)
  const good = `# people\nann@hamburger.edu\tsecret\twith tab\r\n\nben@hamburger.edu\t${hash}\n`
  assert.deepEqual((await bulk(good)).body, { added: 2, skipped: 0 })
  assert.equal((await store.findAccount('ben@hamburger.edu'))?.passwordHash, hash)
  const wrong: [string, number, string][] = [
    ['cat@hamburger.edu\tx\nann@hamburger.edu\ty', 2, 'name-taken'],
    ['cat@hamburger.edu\tx\n\ndan@hamburger.edu', 3, 'bad-line'],
    ['cat@hamburger.edu\t', 1, 'bad-line'],
    ['cat@hamburger.edu\tx\nCAT@hamburger.edu\ty', 2, 'bad-line'],
    ['cat@hamburger.edu\tx\ncat@crepes.fr\ty', 2, 'domain-unknown'],
    ['nobody\tx', 1, 'bad-address'],
    ['cat@hamburger.edu\tx\ndan@hamburger.edu\t\x01', 2, 'bad-password'],
  ]
  for (const [text, line, code] of wrong) {
    const { status, body } = await bulk(text)
    assert.ok(status >= 400)
    assert.deepEqual([body.error.line, body.error.code], [line, code], text)
  }
  assert.equal((await store.listAccounts()).length, 2)
  const again = `${good}cat@hamburger.edu\tx\n`
  assert.deepEqual((await bulk(again, '?skipExisting=1')).body, { added: 1, skipped: 2 })
  assert.equal((await bulk('')).status, 201)
})

test('an alias is added, listed and removed', async (t) => {
  const { call, store } = await setUp(t)
  await store.addDomain('hamburger.edu')
  const alias = { address: 'all@hamburger.edu', targets: ['bob@hamburger.edu', 'alice@crepes.fr'] }
  assert.equal((await call('POST', '/v1/aliases', alias)).status, 201)
  assert.deepEqual((await call('GET', '/v1/aliases')).body, { aliases: [alias] })
  const add = (targets: unknown, address = 'x@hamburger.edu') =>
    call('POST', '/v1/aliases', { address, targets })
  assertRefused(await add([]), 400, 'bad-field', /"targets"/)
  assertRefused(await add(['nobody']), 400, 'bad-address', /name@domain/)
  assertRefused(await add(['x@hamburger.edu']), 400, 'bad-alias', /account of that name/)
  assertRefused(await add(['a@b.example'], 'x@crepes.fr'), 404, 'domain-unknown', /domain add/)
  assert.equal((await call('DELETE', '/v1/aliases/all@hamburger.edu')).status, 200)
  assertRefused(await call('DELETE', '/v1/aliases/all@hamburger.edu'), 404, 'alias-unknown', /alias list/)
})

test('what waits in the queue is listed, tried again and dropped', async (t) => {
  const { call, store, clock } = await setUp(t)
  assert.deepEqual((await call('GET', '/v1/queue')).body, { entries: [], active: 0 })
  await enqueue(store, clock.now())
  const { entries } = (await call('GET', '/v1/queue?limit=5')).body
  assert.equal(entries.length, 1)
  const { queueId, domain, octets, prefix, body } = entries[0]
  assert.deepEqual([domain, octets, prefix, body], ['crepes.fr', 15, undefined, undefined])
  assert.deepEqual((await call('POST', '/v1/queue/retry')).body, { retried: 1 })
  assert.deepEqual((await call('POST', `/v1/queue/${queueId}/retry`)).body, { retried: 1 })
  assertRefused(await call('POST', '/v1/queue/999/retry'), 404, 'queue-unknown', /queue ls/)
  assertRefused(await call('POST', '/v1/queue/x/retry'), 400, 'bad-number', /whole number/)
  assert.equal((await call('DELETE', `/v1/queue/${queueId}`)).status, 200)
  assertRefused(await call('DELETE', `/v1/queue/${queueId}`), 404, 'queue-unknown', /queue ls/)
  assertRefused(await call('GET', '/v1/queue?limit=0'), 400, 'bad-number', /1 to 10000/)
})

async function enqueue(store: Store, now: number): Promise<void> {
  const octets = Buffer.from('Ketchup?\r\n')
  const scanner = new MessageScanner()
  scanner.push(octets)
  const sink = store.openBody()
  await sink.write(octets)
  const entry = {
    ...{
      accountId: 0,
      reversePath: 'bob@hamburger.edu',
      domain: 'crepes.fr',
      prefix: 'X:y\r\n',
      eightBit: false,
    },
    ...{
      smtpUtf8: false,
      envid: null,
      ret: null,
      wishes: noWishes,
      nextAttemptAt: now + 60_000,
      expiresAt: now + 1e6,
      journeyId: null,
    },
    recipients: [{ forwardPath: 'alice@crepes.fr', orcpt: null, notify: null }],
  }
  const item = { body: await sink.finish(), scan: scanner.finish(), filings: [], queue: [entry] }
  const [accepted] = await store.accept([item])
  assert.ok(!(accepted instanceof Error), String(accepted))
}

test('a journey is found by everything it has', async (t) => {
  const { call, asked } = await setUp(t)
  const query =
    'messageId=%3Ca%40b%3E&rcpt=bob%40hamburger.edu&queueId=7&client=1.2.3.4:5&server=6.7.8.9:25&transaction=1'
  assert.equal((await call('GET', `/v1/journeys?${query}&limit=3`)).body.journeys[0].journeyId, 'abc')
  assert.deepEqual(asked[0], {
    messageId: '<a@b>',
    recipient: 'bob@hamburger.edu',
    queueId: 7,
    link: { client: '1.2.3.4:5', server: '6.7.8.9:25', transaction: 1 },
    limit: 3,
  })
  assert.equal((await call('GET', '/v1/journeys/abc')).body.journeyId, 'abc')
  assertRefused(await call('GET', '/v1/journeys/none'), 404, 'journey-unknown', /posthorn way/)
  assertRefused(await call('GET', '/v1/journeys?limit=9999'), 400, 'bad-number', /1 to 1000/)
})

test('a stop is passed on, and what there is not is said', async (t) => {
  const { call, happened } = await setUp(t)
  assert.deepEqual((await call('POST', '/v1/stop')).body, { stopping: true })
  assert.equal(happened.stops, 1)
  assert.deepEqual((await call('GET', '/v1/status')).body, { pid: null })
  assertRefused(await call('GET', '/v1/nothing'), 404, 'no-such-route', /operating/)
})
