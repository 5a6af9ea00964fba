/** New mail is refused before the disk is full, and what frees room goes on. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { StoreUnavailable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open-store.ts'
import { eventually } from './contract-accounts.ts'
import { makeRoom } from './faults-room-disk.ts'
import { testFolder } from './folder.ts'
import { acceptOne, filing, itemOf, letter, put, putMany, queueEntry, stage } from './letters.ts'

const module = new URL('./faults-room-disk.ts', import.meta.url).href
const plenty = defaultLimits.diskReserveOctets * 2

async function open(t: TestContext, limits = defaultLimits) {
  const room = makeRoom(plenty)
  const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
  const store = await openStore({ folder: testFolder(t), limits, surroundings }, { module, data: room })
  t.after(() => store.close())
  await store.addDomain('hamburger.example')
  const bob = (await store.addAccount('bob@hamburger.example', null)).accountId
  const isRefused = async () => {
    const [result] = await store.accept([await itemOf(store, letter('new'), [filing(bob)])])
    return result instanceof StoreUnavailable
  }
  return { store, room, bob, isRefused }
}

test('under the reserve new mail is refused, all else works, and with room it is taken again', async (t) => {
  const { store, room, bob, isRefused } = await open(t)
  const [first, second] = await putMany(store, bob, 3)
  const item = await itemOf(store, letter('out'), [], [queueEntry(bob)])
  const { queueIds } = await acceptOne(store, item)
  const large = Buffer.alloc(600_000, 'Subject: x\r\n\r\n')
  await acceptOne(store, await itemOf(store, large, [filing(bob)]))

  room[0] = defaultLimits.diskReserveOctets - 1
  // Each thread asks once a second for itself.
  await eventually(isRefused)
  await eventually(
    async () => (await stage(store, large).catch((error) => error)) instanceof StoreUnavailable,
  )
  const add = { op: 'add', flags: 1, keywords: [] } as const
  assert.deepEqual((await store.storeFlags(bob, 1, [first!.uid], add)).modified, [])
  assert.deepEqual(await store.expunge(bob, 1, [second!.uid]), [second!.uid])
  const trash = (await store.findMailbox(bob, 'Trash'))!
  assert.equal((await store.move(bob, 1, [first!.uid], trash.mailboxId)).targetUids.length, 1)
  assert.equal(await store.dropEntry(queueIds[0]!), true)
  const [email] = await store.getEmails(bob, [first!.emailId])
  assert.ok((await store.readBody(email!.body, 0, 1_000)).length > 0)

  room[0] = plenty
  await eventually(async () => !(await isRefused()))
  await eventually(async () => (await stage(store, large).catch(() => null)) !== null)
})

test('the system is asked for room once a second, however much mail comes', async (t) => {
  const { store, room, bob } = await open(t)
  const before = performance.now()
  for (let i = 0; i < 20; i++) await putMany(store, bob, 10)
  const seconds = (performance.now() - before) / 1_000
  assert.ok(room[1]! >= 1 && room[1]! <= Math.ceil(seconds) + 1, `${room[1]} questions in ${seconds} s`)
})

test('a reserve of 0 is no bound', async (t) => {
  const { store, room, bob } = await open(t, { ...defaultLimits, diskReserveOctets: 0 })
  room[0] = 0
  await put(store, bob)
  assert.equal(room[1], 0)
})
