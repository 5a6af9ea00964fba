/** What can happen to a store while it starts: the end of the process, the end of power, a second process, a full disk. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { StoreInUse, StoreUnavailable, StoreUnopenable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open.ts'
import { startProcess } from '../harness/process.ts'
import { temporaryFolder } from '../harness/temp.ts'
import { DiskModel, fates } from '../powercut/disk-model.ts'
import { Chance } from '../powercut/random.ts'
import { buildShim, errno, failing, Orders } from '../powercut/shim.ts'
import { readTrace } from '../powercut/trace.ts'
import { eventually } from './contract-accounts.ts'
import { filing, itemOf, letter, put } from './letters.ts'
import { loadDump } from './store-dump.ts'

const child = new URL('./faults-open-child.ts', import.meta.url).pathname
const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
const open = (folder: string, limits = defaultLimits) => openStore({ folder, limits, surroundings })
const seed = Number(process.env['FAULTS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test(`an upgrade that is killed, or loses power, is done at the next start (FAULTS_SEED=${seed})`, async (t) => {
  const folder = temporaryFolder(t)
  const shim = await buildShim(t, folder)
  if (shim === null) return
  const [data, log] = [join(folder, 'data'), join(folder, 'log')]
  loadDump(data, 1)
  const before = () => new DiskModel(data, data)
  const model = before()
  const env = { ...process.env, LD_PRELOAD: shim, SHIM_FOLDER: data, SHIM_LOG: log }
  const result = spawnSync(process.execPath, [child, data], { env, input: '', encoding: 'utf8' })
  assert.equal(result.stdout, 'open\n')
  const records = readTrace(readFileSync(log))
  const chance = new Chance(seed)
  const cuts = Array.from({ length: 16 }, () => chance.below(records.length + 1)).sort((a, b) => a - b)
  let at = 0
  for (const [i, cut] of cuts.entries()) {
    while (at < cut) model.follow(records[at++]!)
    const image = mkdtempSync(join(folder, 'image-'))
    // A process that is killed leaves all it wrote.
    const killed = i % 2 === 0
    const fate = killed ? 'all' : chance.pick(fates)
    model.cut(image, chance, { data: fate, entries: fate })
    await checkOldMail(image)
    rmSync(image, { recursive: true })
  }
})

async function checkOldMail(folder: string): Promise<void> {
  const store = await open(folder)
  const { accountId } = (await store.findAccount('bob@hamburger.example'))!
  const index = await store.loadIndex(accountId, 1)
  assert.deepEqual([...index.uids.subarray(0, index.length)], [1, 2, 5, 6])
  for (const email of await store.getEmails(accountId, [...index.emailIds.subarray(0, index.length)]))
    assert.equal((await store.readBody(email!.body, 0, 1e6)).length, email!.body.octets)
  index.release()
  assert.equal((await put(store, accountId)).uid, 7)
  await store.close()
  const db = new DatabaseSync(join(folder, 'shard-00/meta.db'))
  const rows = db
    .prepare('PRAGMA integrity_check')
    .all()
    .map((row) => ({ ...row }))
  assert.deepEqual(rows, [{ integrity_check: 'ok' }])
  db.close()
}

test('a start that finds no file number fails, rather than run with tables it cannot write', async (t) => {
  const folder = temporaryFolder(t)
  const shim = await buildShim(t, folder)
  if (shim === null) return
  const [data, ordersFile] = [join(folder, 'data'), join(folder, 'orders')]
  loadDump(data, 1)
  const orders = new Orders(ordersFile)
  t.after(() => orders.close())
  const env = { ...process.env, LD_PRELOAD: shim, SHIM_FOLDER: data, SHIM_ORDERS: ordersFile }
  for (const part of ['meta.db', 'meta.db-wal']) {
    orders.fail({ mask: failing.open, error: errno.EMFILE, part })
    const result = spawnSync(process.execPath, [child, data], { env, input: '', encoding: 'utf8' })
    assert.equal(orders.counts().failed, 1)
    assert.equal(result.stdout, 'Error\n')
  }
  await checkOldMail(data)
})

test('of two processes on one folder the second is refused, and the first hears nothing of it', async (t) => {
  const folder = temporaryFolder(t)
  const made = await open(folder)
  await made.addDomain('hamburger.example')
  await made.addAccount('bob@hamburger.example', null)
  await made.close()
  const first = startProcess(t, process.execPath, [child, folder])
  await first.line('open')
  await assert.rejects(open(folder), StoreInUse)
  const second = startProcess(t, process.execPath, [child, folder])
  await second.line('StoreInUse')
  for (const uid of [1, 2]) {
    first.write('\n')
    await first.line(`uid ${uid}`)
  }
  // The system gives the folder back, however the process ends.
  first.signal('SIGKILL')
  await first.ended
  const store = await open(folder)
  const { accountId } = (await store.findAccount('bob@hamburger.example'))!
  assert.equal((await put(store, accountId)).uid, 3)
  await store.close()
})

test('a disk that is really full: refusals, reading, and mail again when there is room', async (t) => {
  const folder = smallDisk(t)
  if (folder === null) return
  const ballast = join(folder, 'ballast')
  writeFileSync(ballast, Buffer.alloc(2_000_000))
  const data = join(folder, 'data')
  const limits = { ...defaultLimits, diskReserveOctets: 0 }
  let store = await open(data, limits)
  await store.addDomain('hamburger.example')
  const bob = (await store.addAccount('bob@hamburger.example', null)).accountId
  const texts = new Map<number, string>()
  const deliver = async (octets: number) => {
    const text = letter('x', `X: ${texts.size}\r\n`) + 'y'.repeat(octets)
    const [result] = await store.accept([await itemOf(store, text, [filing(bob)])])
    if (result instanceof Error) throw result
    texts.set(result!.filed[0]!.emailId, text)
  }
  const checkAll = async () => {
    for (const [emailId, text] of texts) {
      const [email] = await store.getEmails(bob, [emailId])
      assert.equal(String(Buffer.from(await store.readBody(email!.body, 0, 1e6))), text)
    }
  }
  for (const octets of [100_000, 300_000, 1_000]) {
    await assert.rejects(async () => {
      for (;;) await deliver(octets)
    }, StoreUnavailable)
    await checkAll()
  }
  rmSync(ballast)
  for (let i = 0; i < 5; i++) await deliver(20_000)
  await deliver(300_000)
  await store.close()
  store = await open(data, limits)
  await checkAll()
  await deliver(1_000)
  await store.close()
})

test('on a full disk the start does again what the power took, in the room that was kept; people can delete', async (t) => {
  const folder = smallDisk(t)
  if (folder === null) return
  const [data, ballast] = [join(folder, 'data'), join(folder, 'ballast')]
  const kept = join(data, 'shard-00/kept-room')
  const limits = { ...defaultLimits, diskReserveOctets: 2_000_000 }
  let store = await open(data, limits)
  await store.addDomain('hamburger.example')
  const bob = (await store.addAccount('bob@hamburger.example', null)).accountId
  await eventually(async () => existsSync(kept))
  await store.close()
  store = await open(data, limits)
  for (let i = 0; i < 20; i++) await put(store, bob, {}, letter(`letter ${i}`))
  const lost = join(folder, 'lost')
  cpSync(data, lost, { recursive: true, filter: (file) => !/-(wal|shm)$/.test(file) })
  await store.close()
  rmSync(data, { recursive: true })
  fill(ballast)
  store = await open(lost, limits)
  assert.ok(!existsSync(join(lost, 'shard-00/kept-room')))
  const index = await store.loadIndex(bob, 1)
  assert.equal(index.length, 20)
  index.release()
  const item = await itemOf(store, letter('new'), [filing(bob)])
  assert.ok((await store.accept([item]))[0] instanceof StoreUnavailable)
  assert.deepEqual(await store.expunge(bob, 1, [1, 2]), [1, 2])
  rmSync(ballast)
  await eventually(async () => !((await store.accept([item]))[0] instanceof Error))
  await store.close()
})

test('on a disk that is full to the last octet, and keeps no room, the start says what to do, and works later', async (t) => {
  const folder = smallDisk(t)
  if (folder === null) return
  const [data, ballast] = [join(folder, 'data'), join(folder, 'ballast')]
  const limits = { ...defaultLimits, diskReserveOctets: 0 }
  let store = await open(data, limits)
  await store.addDomain('hamburger.example')
  const bob = (await store.addAccount('bob@hamburger.example', null)).accountId
  await store.close()
  store = await open(data, limits)
  await put(store, bob)
  const lost = join(folder, 'lost')
  cpSync(data, lost, { recursive: true, filter: (file) => !/-(wal|shm)$/.test(file) })
  await store.close()
  fill(ballast)
  await assert.rejects(open(lost, limits), (error: unknown) => {
    assert.ok(error instanceof StoreUnopenable)
    assert.match(error.message, /its disk is full/)
    assert.match(error.remedy, /Make room there and start again. Nothing is lost/)
    return true
  })
  rmSync(ballast)
  store = await open(lost, limits)
  assert.equal((await put(store, bob)).uid, 2)
  await store.close()
})

test('a killed server starts on a full disk: the log is used anew for what is to be done again', async (t) => {
  const folder = smallDisk(t)
  if (folder === null) return
  const [data, ballast] = [join(folder, 'data'), join(folder, 'ballast')]
  const limits = { ...defaultLimits, diskReserveOctets: 0 }
  let store = await open(data, limits)
  await store.addDomain('hamburger.example')
  const bob = (await store.addAccount('bob@hamburger.example', null)).accountId
  for (let i = 0; i < 40; i++) await put(store, bob)
  await store.close()
  store = await open(data, limits)
  const flag = (uid: number) => store.storeFlags(bob, 1, [uid], { op: 'set', flags: 1, keywords: [] })
  for (let uid = 1; uid <= 30; uid++) await flag(uid)
  // Behind the log, as when several batches shared a commit that did not come.
  const found = join(folder, 'found')
  cpSync(data, found, { recursive: true })
  for (let uid = 31; uid <= 40; uid++) await flag(uid)
  cpSync(join(data, 'shard-00/seg'), join(found, 'shard-00/seg'), { recursive: true })
  await store.close()
  rmSync(data, { recursive: true })
  fill(ballast)
  store = await open(found, limits)
  const index = await store.loadIndex(bob, 1)
  assert.deepEqual([...index.flags.subarray(0, index.length)], Array<number>(40).fill(1))
  index.release()
  await store.close()
})

/** To its last octet. */
function fill(file: string): void {
  for (const octets of [65_536, 4_096]) {
    const piece = Buffer.alloc(octets)
    try {
      for (;;) appendFileSync(file, piece)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
    }
  }
}

/** A file system of 16 MB, where that may be made: as root. The same with a shim, anywhere: faults-doors.test.ts. */
function smallDisk(t: TestContext): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-disk-'))
  // Hooks run in the order in which they were added: it has to be one.
  t.after(() => {
    spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder])
  if (status !== 0) {
    t.skip('mounting is not allowed here')
    return null
  }
  return folder
}
