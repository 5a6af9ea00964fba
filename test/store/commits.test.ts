/**
 * Batches that share a commit: what was answered can be read, and is there whatever becomes of the commit. In test/powercut
 * they share commits half of the time, too.
 */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { defaultLimits } from '../../src/base/limits.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { AccountUnknown, StoreUnavailable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { segmentOctets } from '../../src/store/sqlite/segments.ts'
import { failNext, makeOrders, type Orders } from './failing-disk.ts'
import { testFolder } from './folder.ts'
import { acceptOne, filing, itemOf, letter, put } from './letters.ts'
import { rowsOf } from './table-rows.ts'

const module = new URL('./failing-disk.ts', import.meta.url).href

interface World {
  readonly store: Store
  readonly folder: string
  readonly orders: Orders
  readonly warnings: string[]
}

/** A store in which batches share commits unless somebody reads. */
async function open(t: TestContext, folder = testFolder(t), readingMs = 100): Promise<World> {
  const orders = makeOrders()
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (text) => warnings.push(text) }
  const surroundings = { clock: systemClock, random: systemRandom, log }
  const options = { folder, limits: defaultLimits, surroundings }
  const store = await openStore(options, { module, data: orders, busyCalls: 0, readingMs })
  t.after(() => store.close())
  return { store, folder, orders, warnings }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

async function withBob(t: TestContext): Promise<World & { readonly bob: number }> {
  const world = await open(t)
  await world.store.addDomain('hamburger.example')
  const { accountId } = await world.store.addAccount('bob@hamburger.example', null)
  return { ...world, bob: accountId }
}

/** Puts letters until the tables do not show one that was answered. @returns The emails. */
async function putUnseen({ store, folder }: World, bob: number): Promise<number[]> {
  const emails = rowsOf(folder)['email']!.map((row) => (row as { email: number }).email)
  while (rowsOf(folder)['email']!.length === emails.length) emails.push((await put(store, bob)).emailId)
  return emails
}

test('what was answered is read though it is not committed', async (t) => {
  const world = await withBob(t)
  const { store, bob } = world
  for (let round = 0; round < 3; round++) {
    const emails = await putUnseen(world, bob)
    const last = emails.at(-1)!
    const [found, mailboxes, index] = await Promise.all([
      store.getEmails(bob, [last]),
      store.listMailboxes(bob),
      store.loadIndex(bob, 1),
    ])
    assert.equal(found[0]?.emailId, last)
    assert.equal(mailboxes.find(({ mailboxId }) => mailboxId === 1)!.total, emails.length)
    assert.deepEqual(index.emailIds.subarray(0, index.length), Float64Array.from(emails))
    index.release()
    assert.match(String(await store.readBody(found[0]!.body, 0, 100)), /From: alice/)
  }
})

test('what nobody reads is committed soon all the same', async (t) => {
  const world = await withBob(t)
  const emails = await putUnseen(world, world.bob)
  while (rowsOf(world.folder)['email']!.length < emails.length)
    await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(
    rowsOf(world.folder)['email']!.map((row) => (row as { email: number }).email),
    emails,
  )
})

test('a call that is refused takes nothing along of the batches it shares a transaction with', async (t) => {
  const world = await withBob(t)
  const { store, folder, bob } = world
  for (let round = 0; round < 5; round++) {
    const emails = await putUnseen(world, bob)
    const [refused] = await store.accept([await itemOf(store, letter('to nobody'), [filing(bob + 1)])])
    assert.ok(refused instanceof AccountUnknown)
    assert.equal((await store.getEmails(bob, emails)).filter((email) => email !== null).length, emails.length)
    assert.equal(rowsOf(folder)['email']!.length, emails.length)
  }
})

test('what cannot be committed is refused to readers, is there after a kill, and when the disk can again', async (t) => {
  const world = await withBob(t)
  const { store, folder, orders, bob } = world
  const before = await putUnseen(world, bob)
  await store.listMailboxes(bob)
  failNext(orders, 'commit', { times: 1_000_000 })
  const answered: number[] = []
  while (answered.length === 0) {
    const results = await store.accept(
      await Promise.all(['one', 'two', 'three'].map((name) => itemOf(store, letter(name), [filing(bob)]))),
    )
    for (const result of results)
      if (result instanceof Error) assert.ok(result instanceof StoreUnavailable)
      else answered.push(result.filed[0]!.emailId)
  }
  await assert.rejects(store.getEmails(bob, answered), StoreUnavailable)
  await assert.rejects(put(store, bob), StoreUnavailable)
  assert.equal(rowsOf(folder)['email']!.length, before.length)

  const found = testFolder(t)
  cpSync(join(folder, 'shard-00'), join(found, 'shard-00'), { recursive: true })
  const again = await open(t, found)
  assert.deepEqual(again.warnings, ['store: changes were done again that the tables had lost'])

  failNext(orders, 'commit', { times: 0 })
  const next = await put(store, bob)
  assert.equal(next.uid, before.length + answered.length + 1)
  assert.ok(next.emailId > answered.at(-1)!)
  await store.listMailboxes(bob)
  for (const { folder: one, more } of [
    { folder: found, more: [] },
    { folder, more: [next.emailId] },
  ])
    assert.deepEqual(
      rowsOf(one)['email']!.map((row) => (row as { email: number }).email),
      [...before, ...answered, ...more],
    )
})

test('a batch that was refused and could not be struck out does not come between those that are done again', async (t) => {
  const world = await withBob(t)
  const { store, folder, orders, bob } = world
  const before = await putUnseen(world, bob)
  failNext(orders, 'commit', { unstruck: true })
  // A reader makes it be committed at once.
  const item = await itemOf(store, letter('refused'), [filing(bob)])
  const [read, [refused]] = await Promise.all([
    store.listMailboxes(bob).catch((error: unknown) => error),
    store.accept([item]),
  ])
  assert.ok(read instanceof StoreUnavailable)
  assert.ok(refused instanceof StoreUnavailable)
  const next = await put(store, bob)
  await store.listMailboxes(bob)
  assert.equal(next.uid, before.length + 1)
  assert.deepEqual(
    rowsOf(folder)['email']!.map((row) => (row as { email: number }).email),
    [...before, next.emailId],
  )
})

test('who asks what has changed while an index is loaded hears of all that has gone from it', async (t) => {
  const folder = testFolder(t)
  const first = await open(t, folder)
  await first.store.addDomain('hamburger.example')
  const { accountId: bob } = await first.store.addAccount('bob@hamburger.example', null)
  await put(first.store, bob)
  for (let count = 1; count < 30_000; count *= 2) await first.store.copy(bob, 1, upTo(count), 1)
  await first.store.close()
  const { store } = await open(t, folder, 0)
  let loading = true
  const changes = store.changesSince(bob, 1, 0, 100_000).finally(() => {
    loading = false
  })
  const expunged: number[] = []
  for (let uid = 1; loading; uid++) expunged.push(...(await store.expunge(bob, 1, [uid])))
  const told = await changes
  const all = new Set([...told.changed, ...told.expunged].map(({ uid }) => uid))
  assert.ok(expunged.length > 1, 'nothing went while the index was loaded')
  for (const uid of expunged) assert.ok(all.has(uid), `${uid} is neither there nor gone`)
})

test('a call that was put back follows its batch into the next segment: one that is left gets no rows', async (t) => {
  const world = await withBob(t)
  const { store, folder, bob } = world
  await put(store, bob)
  for (let count = 1; count < 8_000; count *= 2) await store.copy(bob, 1, upTo(count), 1)
  const { mailboxId } = await store.createMailbox(bob, 'lists')
  const [fill, last] = await Promise.all(
    [250_000, 261_000].map((octets) => itemOf(store, letter('long') + 'x'.repeat(octets), [filing(bob)])),
  )
  const places = async () => {
    await store.listMailboxes(bob)
    return rowsOf(folder)['blob'] as { segment: number; offset: number }[]
  }
  for (let n = 0; n < 6; n++) await Promise.all(Array.from({ length: 43 }, () => acceptOne(store, fill!)))
  // Until the next one but one fills the segment.
  while ((await places()).at(-1)!.offset + 510_000 < segmentOctets) await acceptOne(store, fill!)
  // What is copied takes longer than a batch may: the letter that came with it waits for the next one.
  await Promise.all([store.copy(bob, 1, upTo(8_000), mailboxId), acceptOne(store, last!)])
  assert.deepEqual(
    (await places()).slice(-2).map(({ segment }) => segment),
    [1, 2],
  )
})
