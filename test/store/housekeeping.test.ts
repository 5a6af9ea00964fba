/** What a pass does to the files, and that nothing it is interrupted at costs a letter. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { BodyUnreadable, StoreUnavailable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Filed, Store } from '../../src/store/store.ts'
import { dayMs } from './contract.ts'
import { eventually } from './contract-accounts.ts'
import { testFolder } from './folder.ts'
import { acceptOne, filing, itemOf, letter, put, queueEntry, stage } from './letters.ts'
import { segmentFiles, tearLastSegment } from './seal.ts'

const module = new URL('./nth-call-disk.ts', import.meta.url).href
const undeleteMs = dayMs

interface Letter {
  readonly text: string
  readonly filed: Filed
}

/** Opens a store whose disk fails at the nth call of the housekeeping from when `orders[0]` is set. */
async function open(t: TestContext, folder = testFolder(t), startMs = Date.now()) {
  const orders = new Int32Array(new SharedArrayBuffer(8))
  const clock = new FakeClock(startMs)
  const surroundings = { clock, random: systemRandom, log: silentLog }
  const limits = { ...defaultLimits, undeleteMs }
  const store = await openStore({ folder, limits, surroundings }, { module, data: orders, leaveMs: 20 })
  t.after(() => store.close())
  if ((await store.listDomains()).length === 0) {
    await store.addDomain('hamburger.example')
    await store.addAccount('bob@hamburger.example', null)
    await store.addAccount('alice@hamburger.example', null)
  }
  const bob = (await store.findAccount('bob@hamburger.example'))!.accountId
  const alice = (await store.findAccount('alice@hamburger.example'))!.accountId
  return { store, clock, folder, bob, alice, orders }
}

/** Text that zstd shortens, and every fifth one that it cannot. */
function textOf(i: number): string {
  const noise = Buffer.alloc(600, 'x').map((_, k) => (i * 31 + k * k * 7 + (k >> 3)) & 255)
  const body = i % 5 === 0 ? Buffer.from(systemRandom.bytes(900)).toString('latin1') : noise.toString()
  return (
    letter(`letter ${i}`, 'X: y\r\n') + `${`line of letter ${i}\r\n`.repeat(i % 5 === 0 ? 0 : 60)}${body}`
  )
}

async function putLetters(store: Store, accountId: number, count: number, from = 0): Promise<Letter[]> {
  const texts = Array.from({ length: count }, (_, i) => textOf(from + i))
  const items = await Promise.all(texts.map((text) => itemOf(store, text, [filing(accountId)])))
  const results = await store.accept(items)
  return results.map((result, i) => {
    if (result instanceof Error) throw result
    return { text: texts[i]!, filed: result.filed[0]! }
  })
}

async function assertWhole(store: Store, letters: readonly Letter[], why = ''): Promise<void> {
  for (const { text, filed } of letters) {
    const [email] = await store.getEmails(filed.accountId, [filed.emailId])
    const octets = Buffer.from(text, 'latin1')
    const read = await store.readBody(email!.body, 0, 1e6)
    assert.ok(octets.equals(read), `letter at UID ${filed.uid} ${why}`)
    const piece = await store.readBody(email!.body, 100, 50)
    assert.ok(octets.subarray(100, 150).equals(piece), `a piece of it ${why}`)
  }
}

/** Two sealed segments and the one that is written; half of the first one's letters are expunged and past their time. */
async function worn(t: TestContext) {
  const folder = testFolder(t)
  const startMs = Date.now()
  let opened = await open(t, folder, startMs)
  const old = await putLetters(opened.store, opened.bob, 40)
  await opened.store.close()
  tearLastSegment(folder)
  opened = await open(t, folder, startMs)
  const newer = await putLetters(opened.store, opened.alice, 20, 100)
  await opened.store.close()
  tearLastSegment(folder)
  opened = await open(t, folder, startMs)
  const newest = await putLetters(opened.store, opened.bob, 3, 200)
  const expunged = old.filter((_, i) => i % 2 === 0).map(({ filed }) => filed.uid)
  await opened.store.expunge(opened.bob, 1, expunged)
  const kept = [...old.filter((_, i) => i % 2 === 1), ...newer, ...newest]
  // Opened later: moving the clock would begin a pass.
  await opened.store.close()
  opened = await open(t, folder, startMs + undeleteMs + 1)
  return { ...opened, kept }
}

test('sealed segments are rewritten without what is gone, compressed, and nothing changes for readers', async (t) => {
  const { store, folder, kept, bob, alice, clock } = await worn(t)
  await assertWhole(store, kept, 'before')
  assert.deepEqual(segmentFiles(folder), ['0-1.seg', '0-2.seg', '0-3.seg'])
  const before = await store.stat()
  const report = await store.clean()
  assert.deepEqual([report.segmentsRewritten, report.segmentsRemoved, report.orphanRows], [2, 2, 0])
  assert.ok(report.octetsWritten < report.octetsRead * 0.8, `${report.octetsWritten} of ${report.octetsRead}`)
  assert.deepEqual(segmentFiles(folder), ['0-3.seg', '1-1.seg'])
  await assertWhole(store, kept, 'after')
  const after = await store.stat()
  assert.equal(after.segments.packed, 1)
  assert.ok(after.segments.octets < before.segments.octets / 2)
  assert.ok(after.segments.bodyOctets > after.segments.liveOctets)
  const again = await store.clean()
  assert.deepEqual([again.segmentsRewritten, again.segmentsRemoved], [0, 0], 'once is enough')
  await store.close()
  const reopened = await open(t, folder, clock.now())
  await assertWhole(reopened.store, kept, 'after opening again')
  await reopened.store.expunge(bob, 1, [...Array(40).keys()])
  await reopened.store.expunge(alice, 1, [1, 2, 3, 4, 5])
  await reopened.store.close()
  const later = await open(t, folder, clock.now() + undeleteMs + 1)
  await later.store.clean()
  assert.deepEqual(
    segmentFiles(folder),
    ['0-3.seg', '1-2.seg'],
    'what was packed is rewritten when half is gone',
  )
  await assertWhole(later.store, kept.slice(25), 'packed twice')
})

test('a body that several own is written once', async (t) => {
  const { store, folder, bob, alice, clock } = await open(t)
  const text = textOf(1)
  const accepted = await acceptOne(
    store,
    await itemOf(store, text, [filing(bob), filing(alice)], [queueEntry(bob)]),
  )
  await store.close()
  tearLastSegment(folder)
  const again = await open(t, folder, clock.now())
  await put(again.store, bob)
  await again.store.clean()
  assert.ok(statSync(join(folder, 'shard-00/seg/1-1.seg')).size < text.length)
  assert.equal((await again.store.stat()).segments.bodyOctets, text.length + letter('hello').length)
  await assertWhole(
    again.store,
    accepted.filed.map((filed) => ({ text, filed })),
  )
  const [entry] = await again.store.listQueue(1)
  assert.ok(Buffer.from(text, 'latin1').equals(await again.store.readBody(entry!.body, 0, 1e6)))
})

test('a body that is damaged stays where it is, and its neighbours move', async (t) => {
  const { store, folder, kept, clock } = await worn(t)
  await store.close()
  const file = join(folder, 'shard-00/seg/0-2.seg')
  const octets = readFileSync(file)
  octets[octets.indexOf('line of letter 109') + 50]! ^= 1
  writeFileSync(file, octets)
  const again = await open(t, folder, clock.now())
  const report = await again.store.clean()
  assert.equal(report.damaged, 1)
  assert.deepEqual(segmentFiles(folder), ['0-2.seg', '0-3.seg', '1-1.seg'])
  const damaged = kept.find(({ text }) => text.includes('line of letter 109'))!
  const [email] = await again.store.getEmails(damaged.filed.accountId, [damaged.filed.emailId])
  await assert.rejects(again.store.readBody(email!.body, 0, 1e6), BodyUnreadable)
  await assertWhole(
    again.store,
    kept.filter((one) => one !== damaged),
  )
})

test('a compressed body that is damaged, or comes to more than its row says, is unreadable', async (t) => {
  const { store, folder, kept } = await worn(t)
  await store.clean()
  await store.close()
  const [target, other] = [kept[1]!, kept[3]!]
  const blobOf = (accountId: number, emailId: number) =>
    `(SELECT blob FROM email WHERE email = ${emailId} AND account = ${accountId})`
  const db = new DatabaseSync(join(folder, 'shard-00/meta.db'))
  const { filed } = target
  db.exec(`UPDATE blob SET octets = 10 WHERE blob = ${blobOf(filed.accountId, filed.emailId)}`)
  db.close()
  const again = await open(t, folder)
  const [email] = await again.store.getEmails(filed.accountId, [filed.emailId])
  await assert.rejects(again.store.readBody(email!.body, 0, 5), BodyUnreadable)
  await assertWhole(again.store, [other])
})

for (const how of ['fails', 'ends the thread'] as const) {
  test(`a pass whose nth call to the disk ${how} leaves all letters, and the next one makes up for it`, async (t) => {
    let interrupted = 0
    for (let n = 1; n <= 30; n++) {
      const { store, folder, kept, orders, clock } = await worn(t)
      orders.set([n, how === 'fails' ? 0 : 1])
      const outcome = await store.clean().catch((error: unknown) => error)
      orders.set([0, 0])
      if (outcome instanceof Error) {
        assert.ok(outcome instanceof StoreUnavailable)
        interrupted++
      }
      await assertWhole(store, kept, `at call ${n}`)
      await store.clean()
      await assertWhole(store, kept, `after call ${n} and another pass`)
      const files = segmentFiles(folder)
      assert.ok(!files.includes('0-1.seg') && !files.includes('0-2.seg'), files.join())
      await store.close()
      const again = await open(t, folder, clock.now() + 2 * dayMs)
      await again.store.clean()
      await assertWhole(again.store, kept, `after call ${n} and a restart`)
      await again.store.close()
      if (!(outcome instanceof Error)) break
    }
    assert.ok(interrupted >= 5, `${interrupted} interrupted`)
    t.diagnostic(`${interrupted} interrupted`)
  })
}

test('files that belong to nobody are removed a day later, others stay', async (t) => {
  const { store, folder, bob, clock } = await open(t)
  const filed = await put(store, bob)
  const large = Buffer.alloc(600_000, 'Subject: x\r\n\r\n')
  const body = await stage(store, large)
  const big = join(folder, 'shard-00/big', body.content.kind === 'file' ? body.content.file : '')
  const stray = join(folder, 'shard-00/seg/1-77.seg')
  const begun = join(folder, 'shard-00/seg/0-2.seg')
  const foreign = join(folder, 'shard-00/seg/notes.txt')
  writeFileSync(stray, 'left by a crash')
  writeFileSync(begun, '')
  writeFileSync(foreign, 'not ours')
  await store.clean()
  assert.ok(existsSync(big) && existsSync(stray))
  const twoDaysAgo = clock.now() / 1_000 - 2 * 24 * 60 * 60
  for (const file of [big, stray, begun, foreign, join(folder, 'shard-00/seg/0-1.seg')])
    utimesSync(file, twoDaysAgo, twoDaysAgo)
  assert.equal((await store.clean()).orphanFiles, 2)
  assert.deepEqual([big, stray, begun, foreign].map(existsSync), [false, false, true, true])
  await assertWhole(store, [{ text: letter('hello'), filed }].slice(1))
  const [email] = await store.getEmails(bob, [filed.emailId])
  assert.equal((await store.readBody(email!.body, 0, 1e6)).length, letter('hello').length)
})

test('rows that belong to nothing are removed, and nothing else', async (t) => {
  const { store, folder, bob, clock } = await open(t)
  const letters = await putLetters(store, bob, 10)
  await store.move(bob, 1, [1, 2], 5)
  await store.copy(bob, 1, [3], 5)
  await store.expunge(bob, 1, [3, 4])
  const lists = await store.createMailbox(bob, 'lists')
  const inLists = await put(store, bob, { mailboxId: lists.mailboxId })
  await store.deleteMailbox(bob, lists.mailboxId)
  await acceptOne(store, await itemOf(store, letter('out'), [], [queueEntry(bob)]))
  assert.equal((await store.clean()).orphanRows, 0)
  await store.close()
  const db = new DatabaseSync(join(folder, 'shard-00/meta.db'))
  db.exec(`DELETE FROM message WHERE mailbox = 1 AND uid = 9; INSERT INTO blob
    SELECT (SELECT value FROM counter WHERE name = 'blob'), account, segment, offset, octets, stored, codec, hash, file
    FROM blob LIMIT 0; UPDATE counter SET value = value + 1 WHERE name = 'blob';
    INSERT INTO blob SELECT (SELECT value FROM counter WHERE name = 'blob'), account, segment, offset, octets, stored,
      codec, hash, file FROM blob LIMIT 1`)
  const blobs = () => Number(Object.values(db.prepare('SELECT count(*) FROM blob').get()!)[0])
  const before = blobs()
  const again = await open(t, folder, clock.now())
  assert.equal((await again.store.clean()).orphanRows, 2)
  assert.equal(blobs(), before - 2)
  db.close()
  assert.deepEqual(await again.store.getEmails(bob, [letters[8]!.filed.emailId]), [null])
  await assertWhole(again.store, [...letters.slice(0, 8), ...letters.slice(9)])
  assert.notEqual((await again.store.getEmails(bob, [inLists.emailId]))[0], null)
  assert.equal((await again.store.clean()).orphanRows, 0)
})

test('while files are held none is removed', async (t) => {
  const { store, folder, kept } = await worn(t)
  const letGo = await store.holdFiles()
  let cleaned = false
  const cleaning = store.clean().then((report) => {
    cleaned = true
    return report
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.equal(cleaned, false)
  assert.ok(segmentFiles(folder).includes('0-1.seg'))
  await assertWhole(store, kept)
  letGo()
  letGo()
  assert.equal((await cleaning).segmentsRemoved, 2)
})

test('a pass comes by itself, after its time or when there is much to clear away', async (t) => {
  const { folder, clock, kept, store } = await worn(t)
  clock.advance(10 * 60_000)
  await eventually(async () => segmentFiles(folder).join() === '0-3.seg,1-1.seg')
  await assertWhole(store, kept)
})
