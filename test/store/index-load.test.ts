/** The index of a large mailbox is loaded on another thread; what changes meanwhile is in it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { MailboxGone, StoreUnavailable } from '../../src/store/errors.ts'
import type { MailboxIndex } from '../../src/store/mailbox-index.ts'
import { openForReading } from '../../src/store/sqlite/database.ts'
import { IndexCache } from '../../src/store/sqlite/index-cache.ts'
import { IndexLoader } from '../../src/store/sqlite/index-loader.ts'
import { letter, put, putMany } from './letters.ts'
import { searchWorld } from './search-world.ts'

function columnsOf(index: MailboxIndex): unknown {
  const { uids, flags, keywords, modseqs, sizes, internalDates, emailIds, length } = index
  const columns = [uids, flags, keywords, modseqs, sizes, internalDates, emailIds]
  const { uidValidity, uidNext, highestModseq, keywordNames } = index
  return [
    ...columns.map((column) => [...column.subarray(0, length)]),
    uidValidity,
    uidNext,
    highestModseq,
    keywordNames,
  ]
}

test('An index that another thread loads is the same, with what was changed meanwhile', async (t) => {
  const { store, accountId, folder } = await searchWorld(t)
  for (let n = 0; n < 3; n++) await putMany(store, accountId, 400)
  const data = { folder: join(folder, 'shard-00') }
  const sql = openForReading(join(data.folder, 'meta.db'))
  const loader = new IndexLoader(data, systemClock)
  const cache = new IndexCache(sql, loader, { releasedOctets: 0, rowsHere: 0 })
  for (let round = 0; round < 3; round++) {
    const loading = [cache.load(accountId, 1), cache.load(accountId, 1)]
    const { uid, modseq, emailId } = await put(store, accountId, { flags: round }, letter(`${round}`))
    const one = { uids: [uid], modseqs: [modseq], flags: [round], keywords: [0], emailIds: [emailId] }
    const { sizes, internalDates, release } = await store.loadIndex(accountId, 1)
    const last = uid - 1
    const more = { octets: [sizes[last]!], internalDates: [internalDates[last]!], keywordNames: null }
    cache.apply({ kind: 'added', accountId, mailboxId: 1, modseq, ...one, ...more })
    release()
    const [index, same] = await Promise.all(loading)
    const expected = await store.loadIndex(accountId, 1)
    assert.equal(index!.length, 1_201 + round)
    assert.deepEqual(columnsOf(index!), columnsOf(expected))
    assert.equal(index!.uids, same!.uids)
    for (const held of [index!, same!, expected]) held.release()
  }
  await assert.rejects(cache.load(accountId, 999), MailboxGone)
  const pending = assert.rejects(cache.load(accountId, 1), StoreUnavailable)
  await loader.close()
  await pending
  await assert.rejects(cache.load(accountId, 1), StoreUnavailable)
  sql.close()
})
