/** The index is of accounts that search: it begins with a search, follows for a time, stops, and catches up. */
import assert from 'node:assert/strict'
import { existsSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FakeClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import type { SearchCriterion } from '../../src/store/search.ts'
import { readSearched, removeIndexFile } from '../../src/store/search/index-file.ts'
import { readMessagesMax, sleepMaxMs } from '../../src/store/search/pace.ts'
import type { SearchReply } from '../../src/store/search/protocol.ts'
import { Searcher } from '../../src/store/search/searcher.ts'
import type { Store } from '../../src/store/store.ts'
import { testFolder } from './folder.ts'
import { acceptOne, filing, itemOf } from './letters.ts'

const ketchup: SearchCriterion = { field: 'text', needle: 'ketchup' }
const day = 24 * 60 * 60_000
const many = readMessagesMax + 1

interface World {
  readonly clock: FakeClock
  readonly folder: string
  readonly file: string
  /** Two accounts. */
  readonly accounts: readonly number[]
  readonly emailIds: ReadonlyMap<number, number[]>
  store: Store
  readonly said: string[]
  put(account: number, letters?: number): Promise<void>
  find(account: number, criterion?: SearchCriterion): Promise<number>
  /** Messages in the index, once it has all it was told of. */
  indexed(): Promise<number>
  reopen(meanwhile?: () => void): Promise<void>
}

async function makeWorld(t: TestContext): Promise<World> {
  const folder = testFolder(t)
  const clock = new FakeClock()
  const said: string[] = []
  const log: Log = {
    ...silentLog,
    info: (text) => void said.push(text),
    warn: (text) => void said.push(text),
  }
  const open = () =>
    openStore({ folder, limits: defaultLimits, surroundings: { clock, random: systemRandom, log } })
  const store = await open()
  await store.addDomain('hamburger.example')
  const added = await store.addAccounts(
    ['bob', 'eve'].map((name) => ({ address: `${name}@hamburger.example`, passwordHash: null })),
  )
  const accounts = added.map(({ accountId }) => accountId)
  const emailIds = new Map(accounts.map((account) => [account, [] as number[]]))
  const world: World = {
    ...{ clock, folder, file: join(folder, 'shard-00', 'fts.db'), accounts, emailIds, store, said },
    async put(account, letters = 1) {
      const letter = async () => {
        const item = await itemOf(world.store, 'Subject: sauce\r\n\r\nketchup\r\n', [filing(account)])
        return (await acceptOne(world.store, item)).filed[0]!.emailId
      }
      emailIds.get(account)!.push(...(await Promise.all(Array.from({ length: letters }, letter))))
    },
    async find(account, criterion = ketchup) {
      const asked = Float64Array.from(emailIds.get(account)!)
      return (await world.store.search(account, { emailIds: asked, criteria: [criterion] })).length
    },
    async indexed() {
      // Whether its thread is there or not, mail does not gather for longer.
      clock.advance(sleepMaxMs)
      for (;;) {
        const { messages, waiting } = await world.store.searchStatus()
        if (waiting === 0) return messages
        await turn()
      }
    },
    async reopen(meanwhile) {
      await world.store.close()
      meanwhile?.()
      world.store = await open()
    },
  }
  t.after(() => world.store.close())
  return world
}

test('An index begins with a search that reads much, and then follows the mail of that account only', async (t) => {
  const world = await makeWorld(t)
  const [bob, eve] = world.accounts as [number, number]
  await world.put(bob, many)
  await world.put(eve, many)
  const subject = { field: 'header', name: 'subject', needle: 'sauce' } as const
  assert.equal(await world.find(bob, subject), many)
  assert.equal(await world.find(bob, { field: 'sent', from: 0, before: 1e15 }), 0)
  // Of so many, headers alone are quickly read, too.
  assert.equal(await world.find(bob, { field: 'header', name: 'x-spam', needle: 'yes' }), 0)
  assert.equal(existsSync(world.file), false)

  assert.equal(await world.find(bob), many)
  assert.equal(await world.indexed(), many)
  assert.equal(world.store.indexState.accounts, 1)
  await world.put(bob)
  await world.put(eve)
  assert.equal(await world.indexed(), many + 1)
  assert.deepEqual([await world.find(bob), await world.find(bob, subject)], [many + 1, many + 1])
  // A copy is of the same email, and a second search of the same messages: nothing is there twice.
  const inbox = (await world.store.listMailboxes(bob)).find(({ name }) => name === 'INBOX')!
  await world.store.copy(bob, inbox.mailboxId, [1, 2, 3], inbox.mailboxId)
  assert.equal(await world.find(bob), many + 1)
  assert.equal(await world.indexed(), many + 1)
})

test('Who has searched is remembered over a restart; after some weeks without a search the index stops, and catches up', async (t) => {
  const world = await makeWorld(t)
  const [bob] = world.accounts as [number, number]
  await world.put(bob, many)
  await world.find(bob)
  await world.indexed()
  await world.reopen()
  await world.put(bob)
  assert.equal(await world.indexed(), many + 1)
  world.clock.advance(defaultLimits.searchIndexMs - day)
  await world.put(bob)
  assert.equal(await world.indexed(), many + 2)
  world.clock.advance(day)
  await world.put(bob, 3)
  assert.equal(await world.indexed(), many + 2)
  assert.equal(world.store.indexState.accounts, 0)
  await world.reopen()
  await world.put(bob)
  assert.equal(await world.indexed(), many + 2)

  assert.equal(await world.find(bob), many + 6)
  assert.equal(await world.indexed(), many + 6)
  await world.put(bob)
  assert.equal(await world.indexed(), many + 7)
  assert.equal(await world.find(bob), many + 7)
})

test('A file of before is taken over: whose messages are in it has searched when it was written last', async (t) => {
  const world = await makeWorld(t)
  const [bob, eve] = world.accounts as [number, number]
  await world.put(bob, many)
  await world.find(bob)
  await world.indexed()
  const at = world.clock.now() - day
  await world.reopen(() => {
    const db = new DatabaseSync(world.file)
    db.exec("DROP TABLE searched; UPDATE state SET value = replace(value, '5 ', '4 ') WHERE name = 'version'")
    db.close()
    utimesSync(world.file, at / 1_000, at / 1_000)
    assert.deepEqual([...readSearched(world.file)], [[bob, at]])
  })
  await world.put(bob)
  await world.put(eve)
  assert.equal(await world.find(bob), many + 1)
  assert.equal(await world.indexed(), many + 1)
  assert.deepEqual(world.said, [])
  await world.store.close()
  assert.deepEqual([...readSearched(world.file).keys()], [bob])
})

test('A search that is given up has begun the index all the same; while it reads, messages that come are not lost', async (t) => {
  const world = await makeWorld(t)
  const [bob, eve] = world.accounts as [number, number]
  await world.put(bob, 4 * many)
  await world.put(eve, 2)
  await world.store.close()
  const replies: SearchReply[] = []
  const folder = join(world.folder, 'shard-00')
  const open = () => new Searcher({ folder, seed: 1, everybody: false }, (reply) => replies.push(reply))
  let searcher = open()
  const [bobs, eves] = [bob, eve].map((account) => Float64Array.from(world.emailIds.get(account)!))
  const ask = (id: number, accountId: number, emailIds: Float64Array) =>
    searcher.receive({
      ...{ kind: 'search', id, accountId, emailIds },
      ...{ criteria: [ketchup], plain: false, at: 1_000 },
    })
  const answered = (id: number) => {
    for (;;) {
      const found = replies.find((reply) => reply.kind === 'found' && reply.id === id)
      if (found !== undefined) return (found as { places: Uint32Array }).places.length
      searcher.step()
    }
  }
  ask(1, bob, bobs!)
  while (!replies.some(({ kind }) => kind === 'follows')) searcher.step()
  searcher.receive({ kind: 'cancel', id: 1 })
  // In the midst of it others are answered, and it goes on.
  ask(2, eve, eves!)
  assert.equal(answered(2), 2)
  searcher.receive({ kind: 'wake', added: [{ accountId: bob, emailIds: bobs!.subarray(0, 10) }] })
  // The thread ends before it is done; what is left comes with the next search.
  searcher.step()
  searcher.close()
  searcher = open()
  ask(3, bob, bobs!)
  assert.equal(answered(3), 4 * many)
  while (searcher.step());
  searcher.receive({ kind: 'status', id: 4 })
  searcher.close()
  const status = replies.find((reply) => reply.kind === 'status')
  assert.ok(status?.kind === 'status')
  assert.deepEqual([status.status.messages, status.status.accounts], [4 * many, 1])

  removeIndexFile(world.file)
  replies.length = 0
  searcher = open()
  ask(5, bob, bobs!)
  while (searcher.step());
  searcher.close()
  const said = replies.filter((reply) => reply.kind === 'info')
  assert.deepEqual(
    said.map(({ text, facts }) => [text, facts['accountId'], facts['messages']]),
    [
      ['search: the index of an account is being built', bob, 4 * many],
      ['search: the index of an account is built', bob, 4 * many],
    ],
  )
})

test('An account that is removed leaves the index', async (t) => {
  const world = await makeWorld(t)
  const [bob] = world.accounts as [number, number]
  await world.put(bob, many)
  await world.find(bob)
  await world.indexed()
  await world.store.close()
  const folder = join(world.folder, 'shard-00')
  const db = new DatabaseSync(join(folder, 'meta.db'))
  // As the sweeping leaves it.
  db.exec(`DELETE FROM email; DELETE FROM account WHERE account = ${bob}`)
  db.close()
  const searcher = new Searcher({ folder, seed: 1, everybody: false }, () => {})
  searcher.receive({ kind: 'clear' })
  while (searcher.step());
  searcher.close()
  const index = new DatabaseSync(world.file)
  const counts = ['searched', 'partial'].map(
    (table) => index.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'],
  )
  index.close()
  assert.deepEqual(counts, [0, 0])
})
