/** A clock that jumps by years, forward and back, changes no date of a message, and stops neither UIDs nor the queue. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import { testFolder } from './folder.ts'
import { acceptOne, filing, itemOf, letter, put, queueEntry } from './letters.ts'

const hour = 60 * 60_000
const year = 365 * 24 * hour
const leaseMs = 5 * 60_000
const start = Date.UTC(2026, 5, 1)

async function open(t: TestContext, folder = testFolder(t)) {
  const time = { ms: start }
  const clock: Clock = { ...systemClock, now: () => time.ms }
  const surroundings = { clock, random: systemRandom, log: silentLog }
  const store = await openStore({ folder, limits: defaultLimits, surroundings })
  t.after(() => store.close())
  if ((await store.listDomains()).length === 0) {
    await store.addDomain('hamburger.example')
    await store.addAccount('bob@hamburger.example', null)
  }
  const bob = (await store.findAccount('bob@hamburger.example'))!.accountId
  const lease = () => store.lease(time.ms, leaseMs, 100)
  const enqueue = async (waitMs: number) => {
    const times = { nextAttemptAt: time.ms + waitMs, expiresAt: time.ms + 5 * 24 * hour }
    const item = await itemOf(store, letter('out'), [], [queueEntry(bob, times)])
    return (await acceptOne(store, item)).queueIds[0]!
  }
  return { store, folder, time, bob, lease, enqueue }
}

test('UIDs, MODSEQs and UIDVALIDITY only grow, and internal dates stay as they were given', async (t) => {
  const first = await open(t)
  let { store, time, bob } = first
  const offsets = [0, 10 * year, -10 * year, -40 * year, -60 * year, 120 * year, 0]
  let [uid, modseq, uidValidity] = [0, 0, 0]
  for (const [i, offset] of offsets.entries()) {
    // Every second jump falls between two runs of the program.
    if (i % 2 === 1) {
      await store.close()
      ;({ store, time, bob } = await open(t, first.folder))
    }
    time.ms = start + offset
    const filed = await put(store, bob, { internalDate: start - i })
    assert.equal(filed.uid, uid + 1)
    const { modseq: stored } = await store.storeFlags(bob, 1, [filed.uid], {
      ...{ op: 'add', flags: 1, keywords: [] },
    })
    assert.ok(filed.modseq > modseq && stored > filed.modseq)
    const mailbox = await store.createMailbox(bob, 'Work')
    assert.ok(mailbox.uidValidity > uidValidity && mailbox.uidValidity < 2 ** 32, String(mailbox.uidValidity))
    await store.deleteMailbox(bob, mailbox.mailboxId)
    ;[uid, modseq, uidValidity] = [filed.uid, stored, mailbox.uidValidity]
  }
  const index = await store.loadIndex(bob, 1)
  const dates = [...index.internalDates.subarray(0, index.length)]
  assert.deepEqual(
    dates,
    offsets.map((_, i) => start - i),
  )
  index.release()
})

test('a letter that was queued, put off or held while the clock was years ahead is tried when it is right again', async (t) => {
  const { store, time, bob, lease, enqueue } = await open(t)
  const held = await enqueue(0)
  const putOff = await enqueue(0)
  time.ms = start + 10 * year
  const made = await enqueue(hour)
  const leased = await lease()
  assert.deepEqual(leased.map(({ queueId }) => queueId).sort(), [held, putOff].sort())
  const reply = { forwardPath: 'alice@crepes.example', state: 'waiting', reply: '450 later' } as const
  await store.settle([
    { accountId: bob, queueId: putOff, recipients: [reply], nextAttemptAt: time.ms + hour },
  ])
  time.ms = start + hour
  const again = await lease()
  assert.deepEqual(again.map(({ queueId }) => queueId).sort(), [held, putOff, made].sort())
  // It lives as long as any other, from now.
  const life = again.find(({ queueId }) => queueId === made)!.expiresAt - time.ms
  assert.equal(life, 5 * 24 * hour)
  // Once is enough: after that the times are ours again.
  await store.settle([{ accountId: bob, queueId: made, recipients: [reply], nextAttemptAt: time.ms + hour }])
  assert.deepEqual(await lease(), [])
})

test('a letter waits for its time, unless it was made in a future that is gone', async (t) => {
  const { time, lease, enqueue } = await open(t)
  await enqueue(4 * hour)
  time.ms = start - 10 * year
  // Made in the future as far as anybody can tell: it goes out, which is better than in ten years.
  assert.equal((await lease()).length, 1)
  await enqueue(4 * hour)
  assert.deepEqual(await lease(), [])
  time.ms += 4 * hour
  assert.equal((await lease()).length, 2)
})

test('what expired while the clock was ahead is not removed from a mailbox that can be read', async (t) => {
  const { store, time, bob } = await open(t)
  const filed = await put(store, bob)
  time.ms = start + 10 * year
  await store.clean()
  time.ms = start
  const [email] = await store.getEmails(bob, [filed.emailId])
  assert.equal(String(await store.readBody(email!.body, 0, 1_000)), letter('hello'))
  await acceptOne(store, await itemOf(store, letter('more'), [filing(bob)]))
})
