import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DeliveryWishes,
  type LeaseTerms,
  type QueueEntry,
  type QueueTaker,
  type Settlement,
  noWishes,
} from '../../src/store/queue.ts'
import { StoreUnavailable } from '../../src/store/errors.ts'
import type { Store } from '../../src/store/store.ts'
import type { Begin } from './contract.ts'
import { acceptOne, filing, itemOf, letter, queueEntry } from './letters.ts'

async function enqueue(
  store: Store,
  ...entries: ReturnType<typeof queueEntry>[]
): Promise<readonly number[]> {
  return (await acceptOne(store, await itemOf(store, letter('out'), [], entries))).queueIds
}

function settlement(entry: QueueEntry, state: 'delivered' | 'failed' | 'waiting', more = {}): Settlement {
  return {
    ...{ accountId: entry.accountId, queueId: entry.queueId, nextAttemptAt: 50_000 },
    recipients: [{ forwardPath: entry.recipients[0]!.forwardPath, state, reply: '250 ok' }],
    ...more,
  }
}

export function queueContract(name: string, begin: Begin): void {
  test(`${name}: what is queued comes back whole, when it is due and to one only`, async (t) => {
    const { store, bob, reopen } = await begin(t)
    let calls = 0
    store.onQueued(() => calls++)
    const entry = queueEntry(bob.accountId, {
      ...{ eightBit: true, smtpUtf8: true, envid: 'e', ret: 'HDRS', journeyId: 'j' },
      wishes: {
        ...noWishes,
        requireTls: true,
        priority: -3,
        deliverBy: { at: 7, mode: 'notify', trace: true },
      },
      recipients: [
        { forwardPath: 'a@crepes.example', orcpt: 'rfc822;a@x.example', notify: 'NEVER' },
        { forwardPath: 'b@crepes.example', orcpt: null, notify: null },
      ],
    })
    const [first, second] = await enqueue(store, entry, queueEntry(0, { nextAttemptAt: 2_000 }))
    assert.ok(second! > first!)
    assert.equal(calls, 1)
    const opened = await reopen()
    assert.equal(await opened.nextDueAt(), 1_000)
    assert.deepEqual(await opened.lease(999, 60_000, 10), [])
    const [leased, ...more] = await opened.lease(1_500, 60_000, 10)
    assert.equal(more.length, 0)
    const { recipients, body, queueId, createdAt, attempts, delayWarned, leasedUntil, ...rest } = leased!
    const { recipients: wanted, ...wantedRest } = entry
    assert.deepEqual(rest, wantedRest)
    assert.deepEqual(
      recipients,
      wanted.map((one) => ({ ...one, state: 'waiting', attempts: 0, lastReply: null })),
    )
    assert.deepEqual([queueId, attempts, delayWarned, leasedUntil], [first, 0, false, 61_500])
    assert.ok(createdAt > 0)
    assert.equal(Buffer.from(await opened.readBody(body, 0, 1_000)).toString(), letter('out'))
    assert.deepEqual(await opened.lease(1_600, 60_000, 10), [])
    assert.equal(await opened.nextDueAt(), 2_000)
    const again = await opened.lease(61_500, 60_000, 10)
    assert.equal(again.length, 2, 'a lease that ran out is free again')
  })

  test(`${name}: how many entries there are is known without looking, also after the store was opened again`, async (t) => {
    const { store, bob, reopen } = await begin(t)
    assert.equal(store.queueEntries, 0)
    const entries = Array.from({ length: 4 }, () => queueEntry(bob.accountId))
    const [first] = await enqueue(store, ...entries)
    assert.equal(store.queueEntries, 4)
    assert.equal(await store.dropEntry(first!), true)
    assert.equal(await store.dropEntry(first!), false)
    const [second, third] = await store.lease(1_000, 60_000, 2)
    await store.settle([settlement(second!, 'delivered'), settlement(third!, 'waiting')])
    assert.equal(store.queueEntries, 2)
    const opened = await reopen()
    assert.equal(opened.queueEntries, 2)
    await opened.dropEntry(third!.queueId)
    assert.equal(opened.queueEntries, 1)
    assert.equal((await opened.listQueue(10)).length, 1)
  })

  test(`${name}: whether changes reach the disk is shown by one, and by none once it is closed`, async (t) => {
    const { store, bob } = await begin(t)
    await store.proveWrites(0)
    await enqueue(store, queueEntry(bob.accountId))
    await store.proveWrites(60_000)
    await store.close()
    await assert.rejects(store.proveWrites(60_000), StoreUnavailable)
  })

  test(`${name}: an entry leaves when all its recipients are settled, and not before`, async (t) => {
    const { store, bob } = await begin(t)
    const recipients = ['a', 'b'].map((who) => ({
      forwardPath: `${who}@x.example`,
      orcpt: null,
      notify: null,
    }))
    await enqueue(store, queueEntry(bob.accountId, { recipients }))
    const [entry] = await store.lease(1_000, 60_000, 1)
    await store.settle([settlement(entry!, 'delivered', { delayWarned: true })])
    const [left] = await store.listQueue(10)
    assert.deepEqual(
      left!.recipients.map(({ state, attempts, lastReply }) => [state, attempts, lastReply]),
      [
        ['delivered', 1, '250 ok'],
        ['waiting', 0, null],
      ],
    )
    assert.deepEqual(
      [left!.attempts, left!.delayWarned, left!.leasedUntil, left!.nextAttemptAt],
      [1, true, null, 50_000],
    )
    assert.equal(await store.nextDueAt(), 50_000)
    const failed = { forwardPath: 'b@x.example', state: 'failed', reply: '550 no' } as const
    await store.settle([{ ...settlement(entry!, 'waiting'), recipients: [failed] }])
    assert.deepEqual(await store.listQueue(10), [])
    assert.equal(await store.nextDueAt(), null)
    await store.settle([settlement(entry!, 'delivered')])
  })

  test(`${name}: filing at home and leaving the queue are one step`, async (t) => {
    const { store, bob } = await begin(t)
    await enqueue(store, queueEntry(bob.accountId))
    const [entry] = await store.lease(1_000, 60_000, 1)
    const item = await itemOf(store, letter('report'), [filing(bob.accountId)])
    await acceptOne(store, { ...item, settle: [settlement(entry!, 'failed')] })
    assert.deepEqual(await store.listQueue(10), [])
    await enqueue(store, queueEntry(bob.accountId))
    const [next] = await store.lease(1_000, 60_000, 1)
    const bad = await itemOf(store, letter('report'), [filing(999)])
    const [result] = await store.accept([{ ...bad, settle: [settlement(next!, 'failed')] }])
    assert.ok(result instanceof Error)
    assert.equal((await store.listQueue(10)).length, 1, 'what failed has changed nothing')
  })

  test(`${name}: leases are renewed, entries retried and dropped by hand`, async (t) => {
    const { store, bob } = await begin(t)
    const ids: number[] = []
    for (let i = 0; i < 3; i++) {
      ids.push(...(await enqueue(store, queueEntry(bob.accountId, { nextAttemptAt: 1_000 + i * 10_000 }))))
    }
    const [first, second, third] = ids as [number, number, number]
    await store.lease(1_000, 5_000, 10)
    await store.renewLease(bob.accountId, first, 100_000)
    assert.deepEqual(await store.lease(7_000, 5_000, 10), [])
    let calls = 0
    const end = store.onQueued(() => calls++)
    assert.equal(await store.retryNow(null, 7_000), 2, 'one is being tried')
    assert.equal(calls, 1)
    assert.deepEqual(
      (await store.lease(7_000, 5_000, 1)).map(({ queueId }) => queueId),
      [second],
    )
    assert.equal(await store.retryNow(third, 6_000), 1)
    assert.equal(await store.retryNow(999, 6_000), 0)
    end()
    assert.equal(await store.dropEntry(first), true)
    assert.equal(await store.dropEntry(first), false)
    assert.deepEqual(
      (await store.listQueue(10)).map(({ queueId }) => queueId),
      [second, third],
    )
    assert.equal((await store.listQueue(1)).length, 1)
    assert.ok((await enqueue(store, queueEntry(bob.accountId)))[0]! > third)
    assert.equal(calls, 2)
  })

  test(`${name}: what is urgent overtakes, by a minute for each step, and what is held back waits`, async (t) => {
    const { store, bob } = await begin(t)
    const ids = new Map<number, string>()
    const queued = async (title: string, dueAt: number, wishes: Partial<DeliveryWishes>) => {
      const entry = queueEntry(bob.accountId, { nextAttemptAt: dueAt, wishes: { ...noWishes, ...wishes } })
      ids.set((await enqueue(store, entry))[0]!, title)
    }
    await queued('old', 60_000, {})
    await queued('low', 60_000, { priority: -9 })
    for (let i = 0; i < 5; i++) await queued(`plain ${i}`, 500_000 + i, {})
    await queued('urgent', 500_100, { priority: 5 })
    await queued('held', 900_000, { holdUntil: 900_000 })
    const leased = async (limit: number) =>
      (await store.lease(700_000, 1, limit)).map(({ queueId }) => ids.get(queueId))
    assert.deepEqual(await leased(3), ['old', 'urgent', 'plain 0'])
    assert.equal(await store.retryNow(null, 700_001), 9 - 1, 'not the one its sender holds back')
    assert.equal((await store.lease(800_000, 1, 100)).length, 8)
    const held = [...ids].find(([, title]) => title === 'held')![0]
    assert.equal(await store.retryNow(held, 800_001), 1)
  })

  test(`${name}: what is due comes leased with its accept to one who has room for it`, async (t) => {
    const { store, bob, reopen } = await begin(t)
    let calls = 0
    store.onQueued(() => calls++)
    const taken: { rows: number; entries: readonly QueueEntry[] }[] = []
    let terms: LeaseTerms | null = { nowMs: 1_500, leaseMs: 60_000 }
    const asked: number[] = []
    const taker: QueueTaker = {
      reserve(rows) {
        asked.push(rows)
        return terms
      },
      take: (rows, entries) => taken.push({ rows, entries }),
    }
    const end = store.handOut(taker)
    await acceptOne(store, await itemOf(store, letter('filed only'), [filing(bob.accountId)]))
    const wishes = { ...noWishes, priority: 3, deliverBy: { at: 7, mode: 'notify', trace: true } as const }
    const more = { envid: 'e', ret: 'HDRS', journeyId: 'j', eightBit: true, smtpUtf8: true, wishes } as const
    await enqueue(store, queueEntry(bob.accountId, more))
    assert.deepEqual(taken, [{ rows: 1, entries: await store.listQueue(10) }])
    assert.deepEqual(taken[0]!.entries[0]!.leasedUntil, 61_500)
    assert.deepEqual(await store.lease(1_600, 60_000, 10), [])
    assert.equal(await store.nextDueAt(), 61_500)
    assert.equal(calls, 0, 'nobody need look')

    const [, later] = await enqueue(store, queueEntry(0), queueEntry(0, { nextAttemptAt: 2_000 }))
    assert.deepEqual([taken[1]!.rows, taken[1]!.entries.length], [2, 1])
    assert.equal(await store.nextDueAt(), 2_000)
    assert.equal(calls, 1)
    const bad = await itemOf(store, letter('bad'), [filing(999)], [queueEntry(0)])
    assert.ok((await store.accept([bad]))[0] instanceof Error)
    assert.deepEqual(taken[2], { rows: 1, entries: [] })
    terms = null
    const [refused] = await enqueue(store, queueEntry(0))
    end()
    await enqueue(store, queueEntry(0))
    assert.deepEqual(asked, [1, 2, 1, 1])
    assert.equal(taken.length, 3)
    const free = (await store.listQueue(10)).filter(({ leasedUntil }) => leasedUntil === null)
    assert.deepEqual(
      free.map(({ queueId }) => queueId),
      [later, refused, refused! + 1],
    )
    await store.settle([settlement(taken[0]!.entries[0]!, 'delivered')])
    const opened = await reopen()
    assert.equal((await opened.lease(2_000, 60_000, 10)).length, 4, 'leases end with their holder')
  })

  test(`${name}: a lease does not outlive the one who held it`, async (t) => {
    const { store, bob, reopen } = await begin(t)
    await enqueue(store, queueEntry(bob.accountId))
    assert.equal((await store.lease(1_000, 60_000, 10)).length, 1)
    assert.equal((await store.lease(1_001, 60_000, 10)).length, 0)
    const opened = await reopen()
    const [free] = await opened.listQueue(10)
    assert.deepEqual([free!.leasedUntil, free!.nextAttemptAt], [null, 1_000])
    assert.equal((await opened.lease(1_002, 60_000, 10)).length, 1)
  })

  test(`${name}: an entry that is delivered stays until its sender has been told so`, async (t) => {
    const { store, bob } = await begin(t)
    await enqueue(store, queueEntry(bob.accountId))
    const [entry] = await store.lease(1_000, 60_000, 1)
    const to = (state: 'reporting' | 'delivered') => ({
      ...settlement(entry!, 'waiting'),
      recipients: [{ forwardPath: entry!.recipients[0]!.forwardPath, state, reply: null }],
    })
    await store.settle([to('reporting')])
    assert.equal((await store.listQueue(1))[0]!.recipients[0]!.state, 'reporting')
    await store.settle([to('delivered')])
    assert.deepEqual(await store.listQueue(1), [])
  })
}
