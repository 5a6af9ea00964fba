/**
 * What power takes from the tables is done again: here it takes all of the write-ahead log, which no commit of mail syncs.
 * test/powercut has every other cut.
 */
import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { serialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Log } from '../../src/base/log.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { StoreUnavailable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { QueueEntry } from '../../src/store/queue.ts'
import type { Store } from '../../src/store/store.ts'
import { failNext, makeOrders, type Orders } from './failing-disk.ts'
import { testFolder } from './folder.ts'
import { acceptOne, filing, itemOf, letter, put, queueEntry } from './letters.ts'
import { rowsOf } from './table-rows.ts'

const module = new URL('./failing-disk.ts', import.meta.url).href
const segment = 'shard-00/seg/0-1.seg'

interface World {
  readonly store: Store
  readonly folder: string
  readonly orders: Orders
  readonly bob: number
  readonly warnings: string[]
}

async function open(t: TestContext, folder: string): Promise<World> {
  const orders = makeOrders()
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (text) => warnings.push(text) }
  const surroundings = { clock: systemClock, random: systemRandom, log }
  const store = await openStore({ folder, limits: defaultLimits, surroundings }, { module, data: orders })
  t.after(() => store.close())
  const bob = (await store.findAccount('bob@hamburger.example'))?.accountId ?? 0
  return { store, folder, orders, bob, warnings }
}

/** A store whose tables are all on the disk; what is done from here on is in its write-ahead log only. */
async function begin(t: TestContext): Promise<World> {
  const folder = testFolder(t)
  const { store } = await open(t, folder)
  await store.addDomain('hamburger.example')
  const { accountId } = await store.addAccount('bob@hamburger.example', null)
  await store.createMailbox(accountId, 'lists')
  await put(store, accountId, {}, letter('long ago'))
  await store.close()
  return open(t, folder)
}

/** The folder as it is found when the write-ahead log is gone. */
function cut(t: TestContext, folder: string): string {
  const found = testFolder(t)
  cpSync(join(folder, 'shard-00'), join(found, 'shard-00'), {
    recursive: true,
    filter: (file) => !/-(wal|shm)$/.test(file),
  })
  return found
}

async function subjects({ store, folder }: World): Promise<string[]> {
  const emails = await store.getEmails(
    1,
    (rowsOf(folder)['message'] as { email: number }[]).map(({ email }) => email),
  )
  const bodies = await Promise.all(emails.map((email) => store.readBody(email!.body, 0, 1_000)))
  return bodies.map((body) => /Subject: (.*)\r/.exec(String(body))![1]!)
}

test('all that sessions and the queue had changed is there again, under the same numbers', async (t) => {
  const { store, folder, bob } = await begin(t)
  const lists = (await store.listMailboxes(bob)).find(({ name }) => name === 'lists')!.mailboxId
  for (let i = 0; i < 5; i++) await put(store, bob, { keywords: ['$Work'], flags: i }, letter(`letter ${i}`))
  await Promise.all(Array.from({ length: 8 }, (_, i) => put(store, bob, {}, letter(`at once ${i}`))))
  await put(store, bob, {}, letter('large') + 'x'.repeat(300_000))
  await store.storeFlags(bob, 1, [2, 3], { op: 'add', flags: 1, keywords: ['later'] })
  await store.copy(bob, 1, [3, 4], lists)
  await store.move(bob, 1, [5], lists)
  await store.expunge(bob, 1, [6])
  // Long lists are handed over in another form.
  await store.storeFlags(
    bob,
    1,
    Array.from({ length: 300 }, (_, i) => i + 1),
    { op: 'add', flags: 2, keywords: [] },
  )
  for (const domain of ['crepes.example', 'waffles.example'])
    await acceptOne(store, await itemOf(store, letter('away'), [], [queueEntry(bob, { domain })]))
  const [{ accountId, queueId }] = (await store.lease(2_000, 60_000, 10)) as [QueueEntry]
  const delivered = { forwardPath: 'alice@crepes.example', state: 'delivered', reply: '250 ok' } as const
  await store.settle([{ accountId, queueId, recipients: [delivered], nextAttemptAt: 5_000 }])
  const found = cut(t, folder)
  assert.equal((rowsOf(found)['message'] ?? []).length, 1, 'the cut took nothing')
  const expected = rowsOf(folder)
  assert.ok(existsSync(join(folder, 'shard-00/meta.db-wal')))
  const again = await open(t, found)
  assert.deepEqual(again.warnings, ['store: changes were done again that the tables had lost'])
  // Whoever held a lease is no more.
  const free = (rows: unknown[]) => rows.map((row) => ({ ...(row as object), leased_until: 0, due_at: 0 }))
  const actual = rowsOf(found)
  assert.deepEqual(
    { ...actual, queue: free(actual['queue']!) },
    { ...expected, queue: free(expected['queue']!) },
  )
  const next = await put(again.store, bob, {}, letter('next'))
  assert.equal(next.uid, (await put(store, bob, {}, letter('next'))).uid)
})

test('a batch that was not written to its end is left out, and those before it are there', async (t) => {
  const { store, folder, bob } = await begin(t)
  for (const subject of ['first', 'second', 'third']) await put(store, bob, {}, letter(subject))
  const found = cut(t, folder)
  const file = join(found, segment)
  const end = readFileSync(file).lastIndexOf('PSTB')
  truncateSync(file, end + 100)
  const again = await open(t, found)
  assert.deepEqual(await subjects(again), ['long ago', 'first', 'second'])
  await put(again.store, bob, {}, letter('after'))
  const once = await open(t, cut(t, found))
  assert.deepEqual(await subjects(once), ['long ago', 'first', 'second', 'after'])
})

test('a body that is damaged takes its batch along, not those before', async (t) => {
  const { store, folder, bob } = await begin(t)
  for (const subject of ['first', 'second']) await put(store, bob, {}, letter(subject))
  const found = cut(t, folder)
  const octets = readFileSync(join(found, segment))
  octets[octets.lastIndexOf('PSTR') + 50]! ^= 1
  writeFileSync(join(found, segment), octets)
  assert.deepEqual(await subjects(await open(t, found)), ['long ago', 'first'])
})

for (const [call, half] of [
  ['sync', false],
  ['write', true],
] as const) {
  test(`a batch whose ${call} failed did not happen, though all of it may be on the disk`, async (t) => {
    const world = await begin(t)
    const { store, folder, orders, bob } = world
    await put(store, bob, {}, letter('before'))
    failNext(orders, call, { half, stuck: true })
    const [failed] = await store.accept([await itemOf(store, letter('refused'), [filing(bob)])])
    assert.ok(failed instanceof Error)
    await put(store, bob, {}, letter('after'))
    await put(store, bob, {}, letter('later'))
    const again = await open(t, cut(t, folder))
    assert.deepEqual(await subjects(again), ['long ago', 'before', 'after', 'later'])
    assert.deepEqual(rowsOf(again.folder)['message'], rowsOf(folder)['message'])
  })
}

test('a batch of which nothing came about does not hide those after it', async (t) => {
  const { store, folder, bob } = await begin(t)
  await put(store, bob, {}, letter('first'))
  const [refused] = await store.accept([await itemOf(store, letter('to nobody'), [filing(bob + 1)])])
  assert.ok(refused instanceof Error)
  for (const subject of ['second', 'third']) await put(store, bob, {}, letter(subject))
  const again = await open(t, cut(t, folder))
  assert.deepEqual(await subjects(again), ['long ago', 'first', 'second', 'third'])
})

test('a batch that the tables could not take is not done when the store is opened again', async (t) => {
  const { store, folder, orders, bob } = await begin(t)
  await put(store, bob, {}, letter('before'))
  for (const text of [letter('small'), letter('large') + 'x'.repeat(300_000)]) {
    failNext(orders, 'commit')
    const [refused] = await store.accept([await itemOf(store, text, [filing(bob)])])
    assert.ok(refused instanceof StoreUnavailable)
    // Nor may what of it got into the tables' log be found there.
    assert.equal(statSync(join(folder, 'shard-00/meta.db-wal')).size, 0)
  }
  assert.deepEqual(await subjects(await open(t, cut(t, folder))), ['long ago', 'before'])
  await store.close()
  assert.deepEqual(await subjects(await open(t, folder)), ['long ago', 'before'])
})

test('a full disk is not littered with segments that could not be begun, nor kept full by their room', async (t) => {
  const { store, folder, orders, bob } = await begin(t)
  await put(store, bob, {}, letter('before'))
  const used = readFileSync(join(folder, segment)).lastIndexOf('PSTB')
  failNext(orders, 'write', { times: 1_000 })
  for (const flags of [1, 2, 4]) await store.storeFlags(bob, 1, [2], { op: 'set', flags, keywords: [] })
  assert.deepEqual(readdirSync(join(folder, 'shard-00/seg')), ['0-1.seg'])
  assert.ok(statSync(join(folder, segment)).size < used + 10_000)
  failNext(orders, 'write', { times: 0 })
  await put(store, bob, {}, letter('after'))
  await store.close()
  assert.deepEqual(await subjects(await open(t, folder)), ['long ago', 'before', 'after'])
})

test('a segment that cannot be opened is not taken for one in which there is nothing', async (t) => {
  const { store, folder, bob } = await begin(t)
  await put(store, bob, {}, letter('new'))
  const found = cut(t, folder)
  renameSync(join(found, segment), `${join(found, segment)}.away`)
  symlinkSync('0-1.seg', join(found, segment))
  await assert.rejects(open(t, found), /ELOOP/)
})

test('records of a newer Posthorn are not passed over', async (t) => {
  const { store, folder, bob } = await begin(t)
  await put(store, bob, {}, letter('new'))
  const found = cut(t, folder)
  const octets = readFileSync(join(found, segment))
  octets[octets.lastIndexOf('PSTB') + 4] = 99
  writeFileSync(join(found, segment), octets)
  await assert.rejects(open(t, found), /start that one once/)
})

/** The last record of a segment, in the form of version 2. @param change Of its payload. */
function writeAsBefore(file: string, change: (payload: Buffer) => void): void {
  const octets = readFileSync(file)
  const at = octets.lastIndexOf('PSTB')
  const header = Buffer.from(octets.subarray(at, at + 40))
  const calls = JSON.parse(octets.toString('utf8', at + 40, at + 40 + octets.readUInt32BE(at + 12))) as {
    place: { hash: unknown } | null
  }[]
  for (const { place } of calls) if (place !== null) place.hash = Buffer.from(String(place.hash), 'base64')
  const payload = serialize(calls)
  change(payload)
  header[4] = 2
  header.writeUInt32BE(payload.length, 12)
  header.writeUInt32BE(crc32(Buffer.concat([header.subarray(20), payload])), 16)
  writeFileSync(file, Buffer.concat([octets.subarray(0, at), header, payload]))
}

test('records of the program before this one are read', async (t) => {
  const { store, folder, bob } = await begin(t)
  for (const subject of ['first', 'second']) await put(store, bob, {}, letter(subject))
  const found = cut(t, folder)
  writeAsBefore(join(found, segment), () => {})
  const again = await open(t, found)
  assert.deepEqual(await subjects(again), ['long ago', 'first', 'second'])
  assert.deepEqual(rowsOf(found)['blob'], rowsOf(folder)['blob'])
})

test('those of them that a newer V8 wrote are not passed over, and the message says what to do', async (t) => {
  const { store, folder, bob } = await begin(t)
  await put(store, bob, {}, letter('new'))
  const found = cut(t, folder)
  // After 0xff V8 says its version.
  writeAsBefore(join(found, segment), (payload) => payload.writeUInt8(99, 1))
  await assert.rejects(open(t, found), /start that one once/)
})

test('what was ended in order leaves nothing to be done again, and no room behind its bodies', async (t) => {
  const { store, folder, bob } = await begin(t)
  await put(store, bob, {}, letter('last'))
  await store.close()
  const db = new DatabaseSync(join(folder, 'shard-00/meta.db'), { readOnly: true })
  const { octets } = db.prepare('SELECT octets FROM segment').get() as { octets: number }
  db.close()
  assert.equal(statSync(join(folder, segment)).size, octets)
  assert.deepEqual((await open(t, folder)).warnings, [])
})

test('a process that was killed leaves room, in which the next one goes on; a torn batch is told', async (t) => {
  const { store, folder, bob } = await begin(t)
  await put(store, bob, {}, letter('first'))
  const found = cut(t, folder)
  const again = await open(t, found)
  await put(again.store, bob, {}, letter('second'))
  assert.deepEqual(readdirSync(join(found, 'shard-00/seg')), ['0-1.seg'])
  const torn = cut(t, found)
  const octets = readFileSync(join(torn, segment))
  octets.fill(0, octets.lastIndexOf('PSTB') + 60, octets.lastIndexOf('PSTB') + 70)
  writeFileSync(join(torn, segment), octets)
  const { store: last, warnings } = await open(t, torn)
  assert.deepEqual(warnings, [
    'store: a change that cannot be done again is left out',
    'store: changes were done again that the tables had lost',
  ])
  await put(last, bob, {}, letter('third'))
  assert.deepEqual(readdirSync(join(torn, 'shard-00/seg')).sort(), ['0-1.seg', '0-2.seg'])
})
