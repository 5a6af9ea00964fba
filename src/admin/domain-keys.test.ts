import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { defaultLimits } from '../base/limits.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { mapResolver, type RecordMap } from '../dns/map-resolver.ts'
import { signText, readPrivateKey } from '../mailauth/dkim/sign.ts'
import { openStore } from '../store/open.ts'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { createAdminApp } from './create-admin-app.ts'

const day = 86_400_000

async function setUp(t: TestContext) {
  const clock = new FakeClock(Date.UTC(2026, 4, 1))
  const surroundings = { clock, random: seededRandom(1), log: silentLog }
  const store = await openStore({ folder: temporaryFolder(t), limits: defaultLimits, surroundings })
  t.after(() => store.close())
  const records: { [name: string]: RecordMap[string] } = {}
  const app = createAdminApp({
    ...{ store, journeys: null, queue: null, clock, log: silentLog, status: null, stop: null },
    hashPassword: async () => '',
    dns: {
      hostname: 'mail.hamburger.edu',
      resolver: { query: (name, type) => mapResolver(records).query(name, type) },
    },
    domainsChanged: async () => {},
  })
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever JSON comes
  async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
    const response = await app.request(`/v1/domains${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
    })
    const text = await response.text()
    assert.ok(!text.includes('PRIVATE'), 'a private key is never given out')
    return { status: response.status, body: JSON.parse(text) }
  }
  await call('POST', '', { domain: 'hamburger.edu' })
  return { clock, store, records, call }
}

test('a new domain has a key of each kind, and its records are those of the keys', async (t) => {
  const { store, call } = await setUp(t)
  const { keys } = (await call('GET', '/hamburger.edu/keys')).body
  assert.deepEqual(
    keys.map((key: { selector: string; algorithm: string; state: string }) => [
      key.selector,
      key.algorithm,
      key.state,
    ]),
    [
      ['2026a-ed', 'ed25519-sha256', 'active'],
      ['2026a-rsa', 'rsa-sha256', 'active'],
    ],
  )
  for (const [n, kept] of (await store.listDomainKeys('hamburger.edu')).entries()) {
    const { record } = keys[n]
    assert.equal(record.name, `${kept.selector}._domainkey.hamburger.edu`)
    const published = Buffer.from(/p=(.*)$/.exec(record.value)![1]!, 'base64')
    const der =
      kept.algorithm === 'rsa-sha256'
        ? published
        : Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), published])
    const publicKey = createPublicKey({ key: der, type: 'spki', format: 'der' })
    const text = Buffer.from('signed')
    const signature = await signText(text, readPrivateKey(kept.privateKey, kept.algorithm), kept.algorithm)
    if (kept.algorithm === 'rsa-sha256') {
      assert.ok(verify('sha256', text, publicKey, Buffer.from(signature, 'base64')))
      const strings = Array.from(record.zone.matchAll(/"([^"]*)"/g), (match: RegExpMatchArray) => match[1]!)
      assert.equal(strings.join(''), record.value)
      assert.ok(strings.length === 2 && strings.every((part) => part.length <= 255))
    } else assert.equal(publicKey.asymmetricKeyType, 'ed25519')
  }
})

test('new keys wait until everybody can have seen them, and the old ones sign until then', async (t) => {
  const { clock, call } = await setUp(t)
  const states = async () =>
    (await call('GET', '/hamburger.edu/keys')).body.keys.map(
      (key: { selector: string; state: string }) => `${key.selector} ${key.state}`,
    )
  clock.advance(day)
  assert.equal((await call('POST', '/hamburger.edu/keys/rotate')).status, 200)
  assert.deepEqual(await states(), [
    ...['2026a-ed active', '2026a-rsa active', '2026b-ed waiting', '2026b-rsa waiting'],
  ])
  clock.advance(2 * day)
  assert.deepEqual(await states(), [
    ...['2026a-ed retired', '2026a-rsa retired', '2026b-ed active', '2026b-rsa active'],
  ])
  assert.equal((await call('POST', '/hamburger.edu/keys/2026b-ed/retire')).status, 200)
  assert.equal((await call('DELETE', '/hamburger.edu/keys/2026a-ed')).status, 200)
  assert.deepEqual(await states(), ['2026a-rsa retired', '2026b-ed retired', '2026b-rsa active'])
  assert.equal((await call('DELETE', '/hamburger.edu/keys/2026a-ed')).status, 404)
  assert.equal((await call('POST', '/hamburger.edu/keys/rotate', { afterMs: -1 })).status, 400)
  assert.equal((await call('GET', '/elsewhere.example/keys')).status, 404)
})

test('a domain that has keys gets no second pair that signs at once', async (t) => {
  const { call } = await setUp(t)
  const { status, body } = await call('POST', '/hamburger.edu/keys')
  assert.deepEqual([status, body.error.code], [409, 'keys-there'])
  assert.match(body.error.remedy, /key rotate hamburger\.edu/)
  for (const { selector } of (await call('GET', '/hamburger.edu/keys')).body.keys) {
    await call('POST', `/hamburger.edu/keys/${selector}/retire`)
  }
  assert.equal((await call('POST', '/hamburger.edu/keys')).status, 201)
})

test('a domain has a bounded number of keys', async (t) => {
  const { call } = await setUp(t)
  for (let n = 2; n <= 10; n++) assert.equal((await call('POST', '/hamburger.edu/keys/rotate')).status, 200)
  const { status, body } = await call('POST', '/hamburger.edu/keys/rotate')
  assert.deepEqual([status, body.error.code], [409, 'too-many-keys'])
})

test('what DNS lacks, or says otherwise, is told', async (t) => {
  const { records, call } = await setUp(t)
  const check = async () => {
    const { sound, records: checked } = (await call('GET', '/hamburger.edu/check')).body
    const states = checked.map(
      (record: { purpose: string; state: string }) => `${record.purpose} ${record.state}`,
    )
    return [sound, ...states]
  }
  assert.deepEqual(await check(), [
    ...[false, 'mx missing', 'spf missing', 'dkim missing', 'dkim missing'],
    ...['dmarc missing', 'mta-sts missing', 'tls-rpt missing'],
  ])
  const wanted = (await call('GET', '/hamburger.edu/dns')).body.records
  for (const { name, type, value } of wanted.slice(0, 5)) {
    const record =
      type === 'MX' ? { MX: [{ preference: 10, exchange: 'MAIL.hamburger.edu' }] } : { TXT: [value] }
    records[name] = { ...(records[name] as object), ...record }
  }
  assert.deepEqual((await check()).slice(0, 6), [true, 'mx ok', 'spf ok', 'dkim ok', 'dkim ok', 'dmarc ok'])
  records['hamburger.edu'] = {
    MX: [{ preference: 5, exchange: 'old.hamburger.edu' }],
    TXT: ['v=spf1 mx -all', 'v=spf1 -all', 'something else'],
  }
  records['2026a-ed._domainkey.hamburger.edu'] = { TXT: ['v=DKIM1; k=ed25519; p=AAAA'] }
  records['_dmarc.hamburger.edu'] = 'servfail'
  assert.deepEqual((await check()).slice(0, 6), [
    ...[false, 'mx differs', 'spf differs', 'dkim differs', 'dkim ok', 'dmarc unknown'],
  ])
})
