/** Backups and their restore: what is in them, what is shared, what an interruption leaves. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import {
  type BackupReport,
  type BackupRequest,
  backUp,
  listBackups,
  restoreAccount,
  verifyBackup,
  verifyStore,
} from '../../src/store/backup.ts'
import { BackupUnusable, StoreInUse } from '../../src/store/errors.ts'
import { backupName, chooseBackup } from '../../src/store/sqlite/backup/layout.ts'
import { type RestoreRequest, restoreAll } from '../../src/store/sqlite/backup/restore-all.ts'
import { takeFolder } from '../../src/store/sqlite/owner.ts'
import type { Store } from '../../src/store/store.ts'
import { testFolder } from './folder.ts'
import { alter, fillStore, largeLetter, openAt, opened, readAll } from './kept-store.ts'
import { acceptOne, filing, itemOf, letter, put, queueEntry } from './letters.ts'

const none = () => {}

async function begin(t: TestContext) {
  const folder = testFolder(t)
  const data = join(folder, 'data')
  const store = await opened(t, data)
  return {
    store,
    data,
    backups: join(folder, 'backups'),
    into: join(folder, 'restored'),
    ...(await fillStore(store)),
  }
}

function back(
  store: Store,
  data: string,
  folder: string,
  more: Partial<BackupRequest> = {},
  signal?: AbortSignal,
): Promise<BackupReport> {
  const request = { folder, keep: null, journeys: false, link: false, ...more }
  return backUp(store, data, systemClock, request, none, signal)
}

const restore = (folder: string, into: string, more: Partial<RestoreRequest> = {}) =>
  restoreAll(
    {
      ...{ folder, into, at: null, keepUidValidity: false, withoutQueue: false, nowMs: Date.now() },
      ...more,
    },
    none,
  )

async function sound(data: string): Promise<void> {
  const { problems, notes } = await verifyStore(null, data, false, none)
  assert.deepEqual([problems, notes], [[], []])
}

test('a backup passes verify, and the store restored from it has the same mail', async (t) => {
  const { store, data, backups, into, bob, alice } = await begin(t)
  writeFileSync(join(data, 'self-made.pem'), 'key and certificate', { mode: 0o600 })
  writeFileSync(join(data, 'forwarding.key'), 'another key', { mode: 0o600 })
  const before = [await readAll(store, bob), await readAll(store, alice)]
  const queue = await store.listQueue(100)
  const report = await back(store, data, backups)
  assert.deepEqual([report.accounts, report.messages, report.queued, report.missing], [2, 23, 3, []])
  assert.equal(report.octetsWritten, report.octets)
  assert.deepEqual((await verifyBackup(backups, null, false, none)).problems, [])
  const files = ['forwarding.key', 'manifest.json', 'meta.db', 'self-made.pem']
  assert.deepEqual(readdirSync(join(backups, report.name)).sort(), files)
  for (const file of files) assert.equal(statSync(join(backups, report.name, file)).mode & 0o777, 0o600)
  for (const folder of ['.', 'seg', 'big', report.name])
    assert.equal(statSync(join(backups, folder)).mode & 0o777, 0o700)

  const restored = restore(backups, into)
  assert.deepEqual([restored.messages, restored.queued, restored.damaged], [23, 3, []])
  await sound(into)
  assert.equal(readFileSync(join(into, 'self-made.pem'), 'utf8'), 'key and certificate')
  assert.equal(readFileSync(join(into, 'forwarding.key'), 'utf8'), 'another key')
  const again = await opened(t, into)
  assert.deepEqual([await readAll(again, bob), await readAll(again, alice)], before)
  assert.deepEqual(
    (await again.listQueue(100)).map(({ queueId }) => queueId),
    queue.map(({ queueId }) => queueId),
  )
  assert.deepEqual(await again.listAliases(), await store.listAliases())
  assert.equal((await again.findAccount('bob@hamburger.example'))!.passwordHash, 'hash')
  assert.deepEqual(
    (await again.listDomainKeys('hamburger.example')).map((key) => key.selector),
    ['2026a-ed'],
  )
  const asked = (await again.listQueue(10)).filter(({ wishes }) => wishes.requireTls)
  assert.deepEqual(
    asked.map(({ wishes }) => wishes.priority),
    [3],
  )
})

test('a restored store gives out no number again, and tells clients to begin anew', async (t) => {
  const { store, data, backups, into, bob } = await begin(t)
  await back(store, data, backups)
  const lost = await put(store, bob)
  const [queueId] = (await acceptOne(store, await itemOf(store, letter('q'), [], [queueEntry(bob)]))).queueIds
  const box = (await store.findMailbox(bob, 'INBOX'))!
  restore(backups, into, { nowMs: Date.now() + 2_000 })
  const again = await opened(t, into)
  const anew = (await again.findMailbox(bob, 'INBOX'))!
  assert.ok(anew.uidValidity > box.uidValidity)
  const filed = await put(again, bob)
  assert.ok(filed.emailId > lost.emailId && filed.modseq > lost.modseq)
  const other = await acceptOne(again, await itemOf(again, letter('q'), [], [queueEntry(bob)]))
  assert.ok(other.queueIds[0]! > queueId!)
  const made = await again.createMailbox(bob, 'New')
  assert.ok(made.uidValidity > anew.uidValidity)
})

test('a server that had stopped for good is moved with its UIDVALIDITY, or without its queue', async (t) => {
  const { store, data, backups, into, bob } = await begin(t)
  await back(store, data, backups)
  restore(backups, into, { keepUidValidity: true, withoutQueue: true })
  await sound(into)
  const again = await opened(t, into)
  const [before, after] = [await store.findMailbox(bob, 'INBOX'), await again.findMailbox(bob, 'INBOX')]
  assert.equal(after!.uidValidity, before!.uidValidity)
  assert.deepEqual(await again.listQueue(10), [])
  assert.equal((await put(again, bob)).uid, before!.uidNext)
})

test('what has been copied is not copied again', async (t) => {
  const { store, data, backups, bob } = await begin(t)
  await store.close()
  alter(data, 'UPDATE segment SET sealed = 1')
  const again = await opened(t, data)
  const first = await back(again, data, backups)
  assert.deepEqual([first.segments, first.segmentsWritten, first.largeBodiesWritten], [1, 1, 1])
  await put(again, bob)
  const second = await back(again, data, backups)
  assert.deepEqual([second.segments, second.segmentsWritten, second.largeBodiesWritten], [2, 1, 0])
  assert.ok(second.octetsWritten < second.octets)
  assert.ok(second.name > first.name)
  for (const at of [first.name, second.name])
    assert.deepEqual((await verifyBackup(backups, at, false, none)).problems, [])
  assert.deepEqual(
    listBackups(backups).map(({ name, messages }) => [name, messages]),
    [
      [first.name, 23],
      [second.name, 24],
    ],
  )
})

test('segments that were compressed are backed up, verified and restored like others', async (t) => {
  const { store, data, backups, into, bob } = await begin(t)
  const before = await readAll(store, bob)
  await store.close()
  alter(data, 'UPDATE segment SET sealed = 1')
  const again = await opened(t, data)
  await put(again, bob, {}, letter('long', `X-Long: ${'compress me '.repeat(80)}\r\n`))
  await again.close()
  alter(data, 'UPDATE segment SET sealed = 1')
  const third = await opened(t, data)
  const { segmentsRewritten } = await third.clean()
  assert.ok(segmentsRewritten > 0)
  const tables = new DatabaseSync(join(data, 'shard-00/meta.db'), { readOnly: true })
  assert.ok((tables.prepare('SELECT count(*) AS n FROM blob WHERE codec = 1').get() as { n: number }).n > 0)
  tables.close()
  await sound(data)
  await back(third, data, backups, { journeys: true })
  assert.deepEqual((await verifyBackup(backups, null, false, none)).problems, [])
  restore(backups, into)
  await sound(into)
  const restored = await opened(t, into)
  assert.deepEqual(await readAll(restored, bob), await readAll(third, bob))
  await third.expunge(bob, 1, [1, 2, 18])
  const asked = { folder: backups, at: null, address: 'bob@hamburger.example', as: null, under: null }
  assert.equal((await restoreAccount(third, data, asked, none)).added, 3)
  assert.equal((await readAll(third, bob)).length, before.length + 1)
  await sound(data)
})

test('what guards remember and reports about our domains come back; a damaged one is named', async (t) => {
  const { store, data, backups, into } = await begin(t)
  for (const file of ['notes.db', 'reports.db']) {
    const db = new DatabaseSync(join(data, file))
    db.exec(`CREATE TABLE kept (what); INSERT INTO kept VALUES ('${file}')`)
    db.close()
  }
  const report = await back(store, data, backups)
  assert.deepEqual(report.missing, [])
  restore(backups, into)
  for (const file of ['notes.db', 'reports.db']) {
    const db = new DatabaseSync(join(into, file))
    assert.equal(db.prepare('SELECT what FROM kept').get()!['what'], file)
    db.close()
  }
  writeFileSync(join(data, 'reports.db'), 'this is no database at all, '.repeat(100))
  const second = await back(store, data, backups)
  assert.deepEqual(second.missing, ['reports.db: file is not a database'])
  const files = ['manifest.json', 'meta.db', 'notes.db']
  assert.deepEqual(readdirSync(join(backups, second.name)).sort(), files)
})

test('journeys are kept when they are asked for', async (t) => {
  const { store, data, backups, into } = await begin(t)
  const journeys = new DatabaseSync(join(data, 'journey.db'))
  journeys.exec("CREATE TABLE journey (a); INSERT INTO journey VALUES ('fact')")
  const first = await back(store, data, backups, { journeys: true })
  const second = await back(store, data, backups)
  assert.ok(existsSync(join(backups, first.name, 'journey.db')))
  assert.ok(!existsSync(join(backups, second.name, 'journey.db')))
  journeys.close()
  restore(backups, into, { at: first.name })
  assert.ok(existsSync(join(into, 'journey.db')))
})

test('hard links are made on request only', async (t) => {
  const { store, data, backups, into } = await begin(t)
  await store.close()
  alter(data, 'UPDATE segment SET sealed = 1')
  const again = await opened(t, data)
  await back(again, data, backups, { link: true })
  assert.equal(statSync(join(data, 'shard-00/seg/0-1.seg')).nlink, 2)
  assert.deepEqual((await verifyBackup(backups, null, false, none)).problems, [])
  restore(backups, into)
  await sound(into)
  assert.equal(statSync(join(data, 'shard-00/seg/0-1.seg')).nlink, 2)
})

test('a segment of the same number and another content is another segment', async (t) => {
  const { store, data, backups, bob } = await begin(t)
  await store.close()
  const other = `${data}-other`
  cpSync(data, other, { recursive: true })
  const [one, two] = [await opened(t, data), await opened(t, other)]
  await put(one, bob, {}, letter('first'))
  await put(two, bob, {}, letter('other'))
  const first = await back(one, data, backups)
  const second = await back(two, other, backups)
  assert.equal(second.segmentsWritten, 1)
  for (const at of [first.name, second.name])
    assert.deepEqual((await verifyBackup(backups, at, false, none)).problems, [])
})

test('so many backups are kept, and nothing that they need is removed', async (t) => {
  const { store, data, backups, bob } = await begin(t)
  const names: string[] = []
  for (let i = 0; i < 4; i++) {
    names.push((await back(store, data, backups, { keep: 2 })).name)
    await put(store, bob)
    if (i === 1) await acceptOne(store, await itemOf(store, largeLetter, [filing(bob)]))
  }
  assert.deepEqual(
    listBackups(backups).map(({ name }) => name),
    names.slice(2),
  )
  assert.equal(readdirSync(join(backups, 'seg')).length, 2)
  for (const at of names.slice(2))
    assert.deepEqual((await verifyBackup(backups, at, false, none)).problems, [])
  await assert.rejects(verifyBackup(backups, names[0]!, false, none), BackupUnusable)
})

test('an interrupted backup is none, and the next one goes on with what was copied', async (t) => {
  const { store, data, backups, into, bob, alice } = await begin(t)
  const stop = new AbortController()
  stop.abort()
  await assert.rejects(back(store, data, backups, {}, stop.signal))
  assert.deepEqual(listBackups(backups), [])
  const { name } = await back(store, data, backups)
  rmSync(join(backups, name, 'manifest.json'))
  const [segment] = readdirSync(join(backups, 'seg'))
  writeFileSync(join(backups, 'seg', `${segment}.part`), 'half')
  assert.deepEqual(listBackups(backups), [])
  assert.throws(() => restore(backups, into), BackupUnusable)
  const next = await back(store, data, backups)
  assert.deepEqual([next.segmentsWritten, next.largeBodiesWritten], [0, 0])
  assert.deepEqual(readdirSync(join(backups, 'seg')), [segment])
  assert.deepEqual(
    readdirSync(backups).filter((entry) => entry.startsWith('20')),
    [next.name],
  )
  restore(backups, into)
  const again = await opened(t, into)
  assert.deepEqual(await readAll(again, bob), await readAll(store, bob))
  assert.deepEqual(await readAll(again, alice), await readAll(store, alice))
})

test('killed at any moment, a backup is whole or none', { timeout: 120_000 }, async (t) => {
  const { store, data, backups, bob } = await begin(t)
  for (let i = 0; i < 8; i++) await acceptOne(store, await itemOf(store, largeLetter, [filing(bob)]))
  let ended = 0
  for (let delayMs = 20; delayMs < 400 && ended < 3; delayMs += 20) {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), delayMs)
    const done = await back(store, data, backups, {}, stop.signal).catch(() => null)
    clearTimeout(timer)
    if (done !== null) ended++
    await wait(20)
    for (const { name } of listBackups(backups))
      assert.deepEqual((await verifyBackup(backups, name, false, none)).problems, [])
  }
  assert.ok(existsSync(backups))
})

test('places where a backup must not be are refused', async (t) => {
  const { store, data, backups, into } = await begin(t)
  for (const folder of [data, join(data, 'backups'), join(data, 'shard-00'), join(data, '..')])
    await assert.rejects(back(store, data, folder), BackupUnusable, folder)
  await back(store, data, backups)
  const letGo = takeFolder(backups)
  await assert.rejects(back(store, data, backups), StoreInUse)
  letGo()
  assert.throws(() => restore(backups, data), BackupUnusable)
  assert.throws(() => restore(backups, into, { at: '1999-01-01' }), BackupUnusable)
  assert.throws(() => restore(into, into), BackupUnusable)
  restore(backups, into)
  assert.throws(() => restore(backups, into), /not empty/)
})

test('what is damaged in a backup is named, and everything else is restored', async (t) => {
  const { store, data, backups, into, bob } = await begin(t)
  const { name } = await back(store, data, backups)
  const file = join(backups, 'seg', readdirSync(join(backups, 'seg'))[0]!)
  const octets = readFileSync(file)
  octets[60]! ^= 1
  writeFileSync(file, octets)
  const found = await verifyBackup(backups, null, false, none)
  assert.deepEqual(Object.keys(found.counts).sort(), ['backup-file', 'body'])
  const body = found.problems.find(({ kind }) => kind === 'body')!
  assert.deepEqual([body.account, body.mailbox, body.uid], ['bob@hamburger.example', 'INBOX', 1])
  const { damaged } = restore(backups, into)
  assert.equal(damaged.length, 1)
  const again = await opened(t, into)
  const index = await again.loadIndex(bob, 1)
  const [, second] = await again.getEmails(bob, [index.emailIds[0]!, index.emailIds[1]!])
  assert.ok((await again.readBody(second!.body, 0, 10_000)).length > 0)
  appendFileSync(join(backups, name, 'meta.db'), 'x')
  writeFileSync(join(backups, name, 'meta.db'), 'no tables')
  assert.throws(() => restore(backups, `${into}-2`), /damaged/)
})

test('a store that lacks a segment is backed up without it, and says so', async (t) => {
  const { store, data, backups } = await begin(t)
  rmSync(join(data, 'shard-00/seg/0-1.seg'))
  const report = await back(store, data, backups)
  assert.equal(report.missing.length, 1)
  const { counts } = await verifyBackup(backups, null, false, none)
  assert.ok(counts['store-missing'] === 1 && counts['body']! > 0)
})

test('what leaves the queue while files are held keeps its file until they are let go', async (t) => {
  const { store, data, bob } = await begin(t)
  const item = await itemOf(store, largeLetter, [], [queueEntry(bob)])
  const [queueId] = (await acceptOne(store, item)).queueIds
  const file = join(data, 'shard-00/big', item.body.content.kind === 'file' ? item.body.content.file : '')
  const letGo = await store.holdFiles()
  await store.dropEntry(queueId!)
  await put(store, bob)
  assert.ok(existsSync(file))
  letGo()
  await put(store, bob)
  assert.ok(!existsSync(file))
})

test('a backup is chosen by its name, the beginning of it, or a time', () => {
  const names = [
    ...['2026-01-01T00-00-00Z', '2026-01-02T00-00-00Z', '2026-01-02T12-00-00Z'],
    '2026-01-02T12-00-00Z-2',
  ]
  for (const [at, chosen] of [
    [null, 3],
    ['2026-01-02T12-00-00Z', 2],
    ['2026-01-02T00-00-00Z', 1],
    ['2026-01-02', 3],
    ['2026-01-01', 0],
    ['2026-01-02T11:59:00Z', 1],
    ['2026-06-01', 3],
  ] as const)
    assert.equal(chooseBackup(names, at), names[chosen], String(at))
  for (const at of ['2025-01-01', 'yesterday', '2026-01-02T12-00-00Z-3'])
    assert.throws(() => chooseBackup(names, at), BackupUnusable)
  assert.throws(() => chooseBackup([], null), BackupUnusable)
  assert.equal(backupName(Date.UTC(2026, 10, 23, 7, 28, 5)), '2026-11-23T07-28-05Z')
})

test('a store that is closed meanwhile costs a backup nothing but itself', async (t) => {
  const folder = testFolder(t)
  const store = await openAt(join(folder, 'data'))
  await fillStore(store)
  const backups = join(folder, 'backups')
  const [result] = await Promise.allSettled([
    back(store, join(folder, 'data'), backups),
    wait(1).then(() => store.close()),
  ])
  if (result!.status === 'fulfilled')
    assert.deepEqual((await verifyBackup(backups, null, false, none)).problems, [])
  await sound(join(folder, 'data'))
})
