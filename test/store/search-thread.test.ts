/** The thread of the search: it is there when it is needed, and its index goes on where it was. */
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FakeClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { makeCharClasses } from '../../src/store/search/char-classes.ts'
import { IndexFile, isBehind, readSearched } from '../../src/store/search/index-file.ts'
import { keyOfTrigram } from '../../src/store/search/keys.ts'
import { gatheredMax, gatherMaxMs, quietMs, sleepMaxMs } from '../../src/store/search/pace.ts'
import { SearchClient, type SearchClientOptions } from '../../src/store/search/search-client.ts'
import { trigramAt } from '../../src/store/search/trigrams.ts'
import { indexed, searchWorld } from './search-world.ts'

const minutes = 60_000
const followMs = defaultLimits.searchIndexMs

function openClient(folder: string, clock: FakeClock, more: Partial<SearchClientOptions> = {}): SearchClient {
  const surroundings = { clock, log: silentLog, random: systemRandom }
  const searched = readSearched(join(folder, 'fts.db'))
  const readable = () => null
  return new SearchClient({ folder, ...surroundings, searched, followMs, everybody: null, readable, ...more })
}

test('The thread starts when there is something to search or to index, and ends after some idle minutes', async (t) => {
  const world = await searchWorld(t)
  for (let n = 0; n < 20; n++) await world.put(`Subject: ${n}\r\n\r\nketchup`)
  await indexed(world.store)
  await world.store.close()
  const folder = join(world.folder, 'shard-00')
  const clock = new FakeClock()
  const emailIds = Float64Array.from(world.emailIds)
  const request = { emailIds, criteria: [{ field: 'body', needle: 'ketchup' }] } as const

  const search = openClient(folder, clock)
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

  const late = openClient(folder, clock, { everybody: { behind: true } })
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
  const base = world.accountId * 2 ** 32
  const found = index.blocks.asked(base, Float64Array.from(world.emailIds)).blocks.map((block) => {
    const places = new Uint8Array(block.size)
    block.find(keys, places)
    return places.filter((mark) => mark === 1).length
  })
  // A thread that starts while the one before it still writes waits until it has.
  const other = new DatabaseSync(file, { timeout: 0 })
  assert.throws(() => other.exec('SELECT * FROM state'), /locked/)
  other.close()
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
  // Once for an installation whose index follows everybody, once for an account that has searched.
  const searched = new Map([[world.accountId, clock.now()]])
  for (const more of [{ everybody: { behind: false } }, { searched }]) {
    const open = () => openClient(folder, clock, more)
    const came = (emailIds: Uint32Array) => added(world.accountId, emailIds)
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
    stream.changed(came(new Uint32Array(gatheredMax - 1).fill(1)))
    assert.equal(stream.running, false)
    stream.changed(one)
    assert.equal(stream.running, true)
    await stream.close()

    const asked = open()
    asked.changed(one)
    await asked.search(world.accountId, { emailIds, criteria })
    assert.equal(asked.gathered, 0)
    while ((await asked.searchStatus()).waiting > 0) await turn()
    assert.equal((await asked.searchStatus()).messages, 1)
    await asked.close()
  }
})

function added(accountId: number, emailIds: Uint32Array) {
  const same = { uids: emailIds, modseqs: emailIds, flags: emailIds, keywords: emailIds }
  const columns = { ...same, octets: emailIds, internalDates: emailIds, emailIds }
  return [{ kind: 'added', accountId, mailboxId: 1, modseq: 1, ...columns, keywordNames: null }] as const
}

test('For accounts that never searched there is no thread and no file, whatever comes', async (t) => {
  const world = await searchWorld(t, 'searching')
  for (let n = 0; n < 20; n++) await world.put(`Subject: ${n}\r\n\r\nketchup`)
  const criteria = [{ field: 'header', name: 'subject', needle: '1' }] as const
  // What the tables say needs no index, and a few messages are sooner read.
  assert.equal((await world.find(criteria)).length, 11)
  assert.equal((await world.find([{ field: 'text', needle: 'ketchup' }])).length, 20)
  const folder = join(world.folder, 'shard-00')
  assert.equal(existsSync(join(folder, 'fts.db')), false)
  assert.equal((await world.store.searchStatus()).messages, 0)
  await world.store.close()

  const clock = new FakeClock()
  const client = openClient(folder, clock)
  client.changed(added(world.accountId, new Uint32Array(gatheredMax)))
  clock.advance(25 * 60 * minutes)
  assert.deepEqual([client.running, client.gathered], [false, 0])
  assert.deepEqual(client.indexState, { accounts: 0, behind: 0 })
  assert.equal((await client.searchStatus()).messages, 0)
  assert.equal(client.running, false)
  await client.close()
})
