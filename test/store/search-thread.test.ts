/** The thread of the search: it is there when it is needed, and its index goes on where it was. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FakeClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { makeCharClasses } from '../../src/store/search/char-classes.ts'
import { IndexFile, isBehind, removeIndexFile } from '../../src/store/search/index-file.ts'
import { SearchClient } from '../../src/store/search/search-client.ts'
import { keyOfTrigram } from '../../src/store/search/keys.ts'
import { gatheredMax, gatherMaxMs, quietMs, sleepMaxMs } from '../../src/store/search/pace.ts'
import { Searcher } from '../../src/store/search/searcher.ts'
import { trigramAt } from '../../src/store/search/trigrams.ts'
import { indexed, searchWorld } from './search-world.ts'

const minutes = 60_000

test('The thread starts when there is something to search or to index, and ends after some idle minutes', async (t) => {
  const world = await searchWorld(t)
  for (let n = 0; n < 20; n++) await world.put(`Subject: ${n}\r\n\r\nketchup`)
  await indexed(world.store)
  await world.store.close()
  const folder = join(world.folder, 'shard-00')
  const clock = new FakeClock()
  const client = (behind: boolean) =>
    new SearchClient({ folder, clock, log: silentLog, random: systemRandom, behind })
  const emailIds = Float64Array.from(world.emailIds)
  const request = { emailIds, criteria: [{ field: 'body', needle: 'ketchup' }] } as const

  const search = client(false)
  clock.advance(10 * minutes)
  assert.equal(search.running, false)
  for (let round = 0; round < 2; round++) {
    assert.equal((await search.search(world.accountId, request)).length, 20)
    assert.equal(search.running, true)
    // It says that it rests some time after its answer; until then it is not ended.
    while (search.running) {
      clock.advance(5 * minutes)
      await turn()
    }
  }
  await search.close()

  const late = client(true)
  clock.advance(minutes)
  assert.equal(late.running, true)
  await late.close()
})

test('What is in memory of the index is kept when it is closed; without the file, messages wait', async (t) => {
  const world = await searchWorld(t)
  for (let n = 0; n < 20; n++) await world.put(`Subject: ${n}\r\n\r\nkey 0123456789abcdef${n}`)
  await indexed(world.store)
  await world.store.close()
  const file = join(world.folder, 'shard-00', 'fts.db')
  const last = world.emailIds.at(-1)!
  const index = new IndexFile(file, 1, makeCharClasses())
  assert.equal(index.highWater, last)
  const keys = [keyOfTrigram('body', trigramAt('EF1', 0))]
  const found = [...index.blocks.of(Float64Array.from(world.emailIds))].map((block) => {
    const places = new Uint8Array(block.size)
    block.find(keys, places)
    return places.filter((mark) => mark === 1).length
  })
  index.close()
  // Number 1, and 10 to 19.
  assert.deepEqual(found, [11])
  assert.deepEqual([isBehind(file, last), isBehind(file, last + 1)], [false, true])
  rmSync(file)
  assert.deepEqual([isBehind(file, last), isBehind(file, 0)], [true, false])
})

test('Mail gathers until none has come for a moment, much has, or the oldest has waited; a search waits for nothing', async (t) => {
  const world = await searchWorld(t)
  await world.put('Subject: one\r\n\r\nketchup')
  await world.store.close()
  const folder = join(world.folder, 'shard-00')
  const clock = new FakeClock()
  const open = () => new SearchClient({ folder, clock, log: silentLog, random: systemRandom, behind: false })
  const came = (uids: Uint32Array) => {
    const columns = { uids, modseqs: uids, flags: uids, keywords: uids, octets: uids, internalDates: uids }
    const ids = { accountId: world.accountId, mailboxId: 1, modseq: 1 }
    return [{ kind: 'added', ...ids, ...columns, emailIds: uids, keywordNames: null }] as const
  }
  const one = came(Uint32Array.of(1))

  const emailIds = Float64Array.from(world.emailIds)
  const criteria = [{ field: 'body', needle: 'ketchup' }] as const
  const there = open()
  await there.search(world.accountId, { emailIds, criteria })
  there.changed(one)
  clock.advance(quietMs - 1)
  there.changed(one)
  clock.advance(quietMs - 1)
  assert.equal(there.gathered, 2)
  clock.advance(1)
  assert.equal(there.gathered, 0)
  for (let waitedMs = 0; waitedMs < gatherMaxMs; waitedMs += quietMs / 2) {
    there.changed(one)
    assert.equal(there.gathered, 1 + waitedMs / (quietMs / 2))
    clock.advance(quietMs / 2)
  }
  assert.equal(there.gathered, 0)
  await there.close()

  const asleep = open()
  asleep.changed(one)
  clock.advance(sleepMaxMs - 1)
  assert.equal(asleep.running, false)
  clock.advance(gatherMaxMs)
  assert.equal(asleep.running, true)
  await asleep.close()

  const stream = open()
  stream.changed(came(new Uint32Array(gatheredMax - 1)))
  assert.equal(stream.running, false)
  stream.changed(one)
  assert.equal(stream.running, true)
  await stream.close()

  const asked = open()
  asked.changed(one)
  await asked.search(world.accountId, { emailIds, criteria })
  assert.equal(asked.gathered, 0)
  while ((await asked.searchStatus()).waiting > 0) await turn()
  await asked.close()
})

test('What a search asks about is indexed before it is answered, unless most that is missing is of others', async (t) => {
  const world = await searchWorld(t)
  for (let n = 0; n < 60; n++) await world.put(`Subject: ${n}\r\n\r\nketchup`)
  await world.store.close()
  const folder = join(world.folder, 'shard-00')
  const askAbout = (ids: readonly number[]): { readonly places: number; readonly indexed: number } => {
    let places = -1
    let messages = -1
    const searcher = new Searcher({ folder, seed: 1 }, (reply) => {
      if (reply.kind === 'found') places = reply.places.length
      if (reply.kind === 'status') ({ messages } = reply.status)
    })
    const emailIds = Float64Array.from(ids)
    const criteria = [{ field: 'body', needle: 'ketchup' }] as const
    searcher.receive({ kind: 'search', id: 1, accountId: world.accountId, emailIds, criteria, plain: false })
    while (places < 0) searcher.step()
    searcher.receive({ kind: 'status', id: 2 })
    searcher.close()
    removeIndexFile(join(folder, 'fts.db'))
    return { places, indexed: messages }
  }
  removeIndexFile(join(folder, 'fts.db'))
  assert.deepEqual(askAbout(world.emailIds), { places: 60, indexed: 60 })
  assert.deepEqual(askAbout(world.emailIds.slice(-20)), { places: 20, indexed: 0 })
})
