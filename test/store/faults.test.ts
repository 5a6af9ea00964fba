/** A disk that fails costs the letters of that moment, which the sender keeps, and nothing else. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FakeClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { BodyUnreadable, StoreInUse, StoreUnavailable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open-store.ts'
import { segmentOctets } from '../../src/store/sqlite/segments.ts'
import { eventually } from './contract-accounts.ts'
import { type DiskCall, failNext, makeOrders } from './failing-disk.ts'
import { testFolder } from './folder.ts'
import { filing, itemOf, letter, put, queueEntry, stage } from './letters.ts'

const module = new URL('./failing-disk.ts', import.meta.url).href

async function open(t: TestContext, folder = testFolder(t)) {
  const orders = makeOrders()
  const clock = new FakeClock(Date.now())
  const surroundings = { clock, random: systemRandom, log: silentLog }
  const failures: Error[] = []
  const onFailure = (error: Error) => failures.push(error)
  const options = { folder, limits: defaultLimits, surroundings, onFailure }
  const store = await openStore(options, { module, data: orders })
  t.after(() => store.close())
  if ((await store.listDomains()).length === 0) {
    await store.addDomain('hamburger.example')
    await store.addAccount('bob@hamburger.example', null)
  }
  const bob = (await store.findAccount('bob@hamburger.example'))!.accountId
  return { store, orders, folder, bob, clock, failures }
}

const small: readonly (readonly [DiskCall, boolean])[] = [
  ['write', false],
  ['write', true],
  ['sync', false],
]
for (const [call, half] of small) {
  test(`a segment whose ${call} fails${half ? ' half-way' : ''} loses nothing that was acknowledged`, async (t) => {
    const { store, orders, folder, bob } = await open(t)
    const before = await put(store, bob, {}, letter('before'))
    failNext(orders, call, { half })
    const item = await itemOf(store, letter('lost'), [filing(bob)])
    const [failed] = await store.accept([item])
    assert.ok(failed instanceof StoreUnavailable)
    assert.equal(orders[3], 1)
    const after = await put(store, bob, {}, letter('after'))
    assert.equal(after.uid, before.uid + 1)
    await store.close()
    const again = await open(t, folder)
    const emails = await again.store.getEmails(bob, [before.emailId, after.emailId])
    const texts = await Promise.all(emails.map((email) => again.store.readBody(email!.body, 0, 1_000)))
    assert.deepEqual(
      texts.map(String),
      [letter('before'), letter('after')].map((text) => String(Buffer.from(text))),
    )
    assert.equal((await put(again.store, bob)).uid, after.uid + 1)
  })
}

test('a store whose thread dies says so, refuses, and is whole when it is opened again', async (t) => {
  const { store, orders, folder, bob, failures } = await open(t)
  await put(store, bob)
  failNext(orders, 'write', { end: true })
  const item = await itemOf(store, letter('lost'), [filing(bob)])
  assert.ok((await store.accept([item]))[0] instanceof StoreUnavailable)
  assert.ok((await store.accept([item]))[0] instanceof StoreUnavailable)
  assert.equal(failures.length, 1)
  await store.close()
  const again = await open(t, folder)
  assert.equal((await put(again.store, bob)).uid, 2)
})

test('who asks whether changes reach the disk makes one', async (t) => {
  const { store, folder, bob } = await open(t)
  await put(store, bob)
  const log = join(folder, 'shard-00/meta.db-wal')
  const before = statSync(log).size
  await store.proveWrites(0)
  assert.ok(statSync(log).size > before)
})

test('what needs no body goes on while bodies cannot be written', async (t) => {
  const { store, orders, bob } = await open(t)
  await put(store, bob)
  failNext(orders, 'write', { times: 1_000 })
  const item = await itemOf(store, letter('lost'), [filing(bob)])
  const add = { op: 'add', flags: 1, keywords: [] } as const
  const [accepted, stored] = await Promise.all([store.accept([item]), store.storeFlags(bob, 1, [1], add)])
  assert.ok(accepted[0] instanceof StoreUnavailable)
  assert.deepEqual(stored.modified, [])
  failNext(orders, 'write', { times: 0 })
  await put(store, bob)
})

for (const call of ['create', 'write', 'sync', 'rename', 'syncFolder'] as const) {
  test(`a large body whose ${call} fails is refused, and the next one is taken`, async (t) => {
    const { store, orders, bob } = await open(t)
    const octets = Buffer.alloc(600_000, 'Subject: x\r\n\r\n')
    failNext(orders, call)
    await assert.rejects(stage(store, octets), StoreUnavailable)
    const item = await itemOf(store, octets, [filing(bob)])
    assert.ok(!((await store.accept([item]))[0] instanceof Error))
    assert.equal(orders[3], 1)
  })
}

test('a body that was damaged on the disk is unreadable, its neighbours are not', async (t) => {
  const { store, folder, bob } = await open(t)
  const filed = [await put(store, bob), await put(store, bob), await put(store, bob)]
  await store.close()
  const segment = join(folder, 'shard-00/seg/0-1.seg')
  const octets = readFileSync(segment)
  octets[octets.indexOf('PSTR', 1) + 60]! ^= 1
  writeFileSync(segment, octets)
  const again = await open(t, folder)
  const emails = await again.store.getEmails(
    bob,
    filed.map(({ emailId }) => emailId),
  )
  const read = await Promise.allSettled(emails.map((email) => again.store.readBody(email!.body, 0, 1_000)))
  assert.deepEqual(
    read.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.ok((read[1] as PromiseRejectedResult).reason instanceof BodyUnreadable)
  assert.equal((await put(again.store, bob)).uid, 4)
})

test('a torn tail is left behind, and mail goes on in a new segment', async (t) => {
  const { store, folder, bob } = await open(t)
  await put(store, bob)
  await store.close()
  const segment = join(folder, 'shard-00/seg/0-1.seg')
  writeFileSync(segment, Buffer.concat([readFileSync(segment), Buffer.from('PSTR torn')]))
  const again = await open(t, folder)
  const filed = await put(again.store, bob, {}, letter('new'))
  const [email] = await again.store.getEmails(bob, [filed.emailId])
  assert.equal(String(await again.store.readBody(email!.body, 0, 1_000)), letter('new'))
  assert.deepEqual(readdirSync(join(folder, 'shard-00/seg')).sort(), ['0-1.seg', '0-2.seg'])
})

test('two processes cannot have the same folder', async (t) => {
  const { store, folder } = await open(t)
  await assert.rejects(open(t, folder), StoreInUse)
  await store.close()
  await open(t, folder)
})

test('files of large bodies that nobody accepted are removed a day later', async (t) => {
  const { store, folder, bob } = await open(t)
  const octets = Buffer.alloc(600_000, 'Subject: x\r\n\r\n')
  const kept = await itemOf(store, octets, [filing(bob)])
  await store.accept([kept])
  const young = await stage(store, octets)
  const old = await stage(store, octets)
  const fileOf = (body: typeof old) =>
    join(folder, 'shard-00/big', body.content.kind === 'file' ? body.content.file : '')
  await store.close()
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60
  for (const body of [old, kept.body]) utimesSync(fileOf(body), twoDaysAgo, twoDaysAgo)
  await open(t, folder)
  await eventually(async () => !existsSync(fileOf(old)))
  assert.ok(existsSync(fileOf(young)) && existsSync(fileOf(kept.body)))
})

test('a segment goes when all that was in it has left', async (t) => {
  const { store, folder, bob, clock } = await open(t)
  const octets = Buffer.alloc(250_000, 'Subject: x\r\n\r\n')
  const count = Math.ceil(segmentOctets / octets.length) + 1
  for (let i = 0; i < count; i++) await store.accept([await itemOf(store, octets, [], [queueEntry(bob)])])
  const segments = () => readdirSync(join(folder, 'shard-00/seg'))
  assert.deepEqual(segments().sort(), ['0-1.seg', '0-2.seg'])
  for (const { queueId } of await store.listQueue(1_000)) await store.dropEntry(queueId)
  await put(store, bob)
  clock.advance(3 * 60 * 60_000)
  await eventually(async () => segments().length === 1)
  assert.deepEqual(segments(), ['0-2.seg'])
})

test('when the tables themselves cannot grow, letters are refused and what is there can be read', (t) => {
  const child = fileURLToPath(new URL('./full-disk-child.ts', import.meta.url))
  // Files of at most 3 MB, and no signal at the bound, only the error: what a full disk looks like to SQLite.
  const command = `trap '' XFSZ; ulimit -f 6000; exec "${process.execPath}" "${child}" "${testFolder(t)}"`
  const result = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: 120_000 })
  assert.match(result.stdout, /refused with StoreUnavailable, \d+ of \d+ readable/, result.stderr)
  const [, readable, accepted] = /(\d+) of (\d+) readable/.exec(result.stdout)!
  assert.equal(readable, accepted)
})
