import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LimitReached } from '../../src/store/errors.ts'
import type { FlagChange } from '../../src/store/store.ts'
import type { Begin } from './contract.ts'
import { put, putMany } from './letters.ts'

const add = (flags: number, ...keywords: string[]): FlagChange => ({ op: 'add', flags, keywords })

export function flagContract(name: string, begin: Begin): void {
  test(`${name}: flags are set, added and removed, and unseen is counted`, async (t) => {
    const { store, bob } = await begin(t)
    await putMany(store, bob.accountId, 3)
    const index = await store.loadIndex(bob.accountId, 1)
    const steps: readonly [FlagChange, number[], number][] = [
      [add(1 | 4), [5, 5, 0], 1],
      [{ op: 'remove', flags: 4, keywords: [] }, [1, 1, 0], 1],
      [{ op: 'set', flags: 16, keywords: [] }, [16, 16, 0], 3],
    ]
    for (const [change, flags, unseen] of steps) {
      const stored = await store.storeFlags(bob.accountId, 1, [1, 2, 50], change)
      assert.deepEqual([...index.flags.subarray(0, 3)], flags)
      assert.deepEqual([...index.modseqs.subarray(0, 2)], [stored.modseq, stored.modseq])
      assert.equal((await store.findMailbox(bob.accountId, 'INBOX'))!.unseen, unseen)
    }
    index.release()
  })

  test(`${name}: a message that has the flag already keeps its MODSEQ`, async (t) => {
    const { store, bob } = await begin(t)
    await putMany(store, bob.accountId, 2)
    const first = await store.storeFlags(bob.accountId, 1, [1], add(1))
    const second = await store.storeFlags(bob.accountId, 1, [1, 2], add(1))
    const { changed } = await store.changesSince(bob.accountId, 1, 0, 10)
    assert.deepEqual(
      changed.map(({ uid, modseq }) => [uid, modseq]),
      [
        [1, first.modseq],
        [2, second.modseq],
      ],
    )
    assert.equal((await store.storeFlags(bob.accountId, 1, [1, 2], add(1))).modseq, second.modseq)
  })

  test(`${name}: UNCHANGEDSINCE leaves alone what has changed since, RFC 7162 §3.1.3`, async (t) => {
    const { store, bob } = await begin(t)
    await putMany(store, bob.accountId, 3)
    const before = (await store.findMailbox(bob.accountId, 'INBOX'))!.highestModseq
    await store.storeFlags(bob.accountId, 1, [2], add(4))
    const change = { ...add(8), unchangedSince: before }
    const stored = await store.storeFlags(bob.accountId, 1, [1, 2, 3], change)
    assert.deepEqual(stored.modified, [2])
    const index = await store.loadIndex(bob.accountId, 1)
    assert.deepEqual([...index.flags.subarray(0, 3)], [8, 4, 8])
    index.release()
  })

  test(`${name}: keywords keep their first spelling, and a mailbox holds 32 of them`, async (t) => {
    const { store, bob } = await begin(t)
    await put(store, bob.accountId, { keywords: ['Work'] })
    await store.storeFlags(bob.accountId, 1, [1], add(0, 'WORK', 'home'))
    const words = Array.from({ length: 30 }, (_, i) => `k${i}`)
    await store.storeFlags(bob.accountId, 1, [1], add(0, ...words))
    const index = await store.loadIndex(bob.accountId, 1)
    assert.deepEqual(index.keywordNames, ['Work', 'home', ...words])
    assert.equal(index.keywords[0], 0xffffffff)
    await assert.rejects(store.storeFlags(bob.accountId, 1, [1], add(0, 'more')), LimitReached)
    await put(store, bob.accountId, { keywords: ['more', 'home'] })
    assert.equal(index.keywords[1], 2, 'a letter arrives, without the keyword that has no room')
    await store.storeFlags(bob.accountId, 1, [1], { op: 'remove', flags: 0, keywords: ['k29'] })
    assert.equal(index.keywords[0], 0x7fffffff)
    index.release()
  })

  test(`${name}: the history of a mailbox is told in pages, none twice and none left out`, async (t) => {
    const { store, bob } = await begin(t)
    await putMany(store, bob.accountId, 40)
    for (let uid = 1; uid <= 40; uid += 3) await store.storeFlags(bob.accountId, 1, [uid], add(1, 'x'))
    await store.expunge(bob.accountId, 1, [2, 5, 8, 11])
    await store.expunge(bob.accountId, 1, [39])
    const all = await store.changesSince(bob.accountId, 1, 0, 10_000)
    assert.equal(all.changed.length, 35)
    assert.deepEqual(
      all.expunged.map(({ uid }) => uid),
      [2, 5, 8, 11, 39],
    )
    assert.equal(all.more, false)
    const changed: number[] = []
    const expunged: number[] = []
    for (let since = 0, more = true; more; ) {
      const page = await store.changesSince(bob.accountId, 1, since, 3)
      changed.push(...page.changed.map(({ uid }) => uid))
      expunged.push(...page.expunged.map(({ uid }) => uid))
      since = Math.max(...[...page.changed, ...page.expunged].map(({ modseq }) => modseq))
      more = page.more
    }
    assert.deepEqual(
      changed,
      all.changed.map(({ uid }) => uid),
    )
    assert.deepEqual(expunged, [2, 5, 8, 11, 39])
    const last = all.changed.at(-1)!
    assert.deepEqual(last.keywords, ['x'])
  })
}
