/** A backup that is taken while letters arrive holds all that was acknowledged before it began. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { backUp, verifyBackup, verifyStore } from '../../src/store/backup.ts'
import { restoreAll } from '../../src/store/sqlite/backup/restore-all.ts'
import type { Store } from '../../src/store/store.ts'
import { testFolder } from './folder.ts'
import { killLetter, numberOf } from './kill-letter.ts'
import { largeLetter, openAt, opened } from './kept-store.ts'
import { filing, itemOf, put, queueEntry } from './letters.ts'

const none = () => {}
const accounts = 4
const deliverers = 30

class Load {
  readonly acknowledged = new Map<number, number>()
  readonly queued = new Set<number>()
  readonly expunged = new Set<number>()
  readonly #store: Store
  #number = 0
  #stopped = false
  readonly #running: Promise<void>[]

  constructor(store: Store) {
    this.#store = store
    this.#running = Array.from({ length: deliverers }, (_, i) => this.#deliver(i))
    this.#running.push(this.#leaveQueue(), this.#large())
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  async #deliver(turn: number): Promise<void> {
    while (!this.#stopped) {
      const number = ++this.#number
      const accountId = 1 + (number % accounts)
      const queue = number % 7 === 0 ? [queueEntry(accountId)] : []
      const item = await itemOf(this.#store, killLetter(number), [filing(accountId)], queue)
      const [result] = await this.#store.accept([item])
      if (result instanceof Error) throw result
      this.acknowledged.set(number, accountId)
      for (const id of result!.queueIds) this.queued.add(id)
      if (turn > 2) continue
      const { uid, mailboxId } = result!.filed[0]!
      if (number % 3 === 0) await this.#store.move(accountId, mailboxId, [uid], 6)
      if (number % 3 === 1) {
        this.expunged.add(number)
        await this.#store.expunge(accountId, mailboxId, [uid])
      }
    }
  }

  async #leaveQueue(): Promise<void> {
    while (!this.#stopped) {
      const entries = await this.#store.listQueue(3)
      for (const { queueId } of entries) {
        this.queued.delete(queueId)
        await this.#store.dropEntry(queueId)
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Large bodies come and go in the queue. */
  async #large(): Promise<void> {
    while (!this.#stopped) {
      const item = await itemOf(this.#store, largeLetter, [], [queueEntry(1)])
      const [result] = await this.#store.accept([item])
      if (result instanceof Error) throw result
      await this.#store.dropEntry(result!.queueIds[0]!)
    }
  }
}

async function numbersIn(store: Store, accountId: number): Promise<Set<number>> {
  const numbers = new Set<number>()
  for (const { mailboxId } of await store.listMailboxes(accountId)) {
    const index = await store.loadIndex(accountId, mailboxId)
    for (let row = 0; row < index.length; row++) {
      const [email] = await store.getEmails(accountId, [index.emailIds[row]!])
      const octets = await store.readBody(email!.body, 0, 1e6)
      const number = numberOf(octets)
      assert.ok(killLetter(number).equals(octets), `letter ${number} is damaged`)
      numbers.add(number)
    }
    index.release()
  }
  return numbers
}

test('a backup under load passes verify, and nothing acknowledged before it is missing', {
  timeout: 240_000,
}, async (t) => {
  const folder = testFolder(t)
  const [data, backups] = [join(folder, 'data'), join(folder, 'backups')]
  const store = await openAt(data)
  t.after(() => store.close())
  await store.addDomain('hamburger.example')
  for (let i = 1; i <= accounts; i++) await store.addAccount(`a${i}@hamburger.example`, null)
  const load = new Load(store)
  const rounds: { readonly name: string; readonly before: ReadonlyMap<number, number>; during: number }[] = []
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 400))
    const before = new Map(load.acknowledged)
    const report = await backUp(
      store,
      data,
      systemClock,
      { folder: backups, keep: null, journeys: false, link: false },
      none,
    )
    assert.deepEqual(report.missing, [])
    rounds.push({ name: report.name, before, during: load.acknowledged.size - before.size })
  }
  assert.deepEqual((await verifyStore(store, data, false, none)).problems, [])
  await load.stop()
  for (const { name, before, during } of rounds) {
    t.diagnostic(`${before.size} acknowledged before, ${during} while the backup was made`)
    assert.ok(during > 0)
    const into = join(folder, `restored-${name}`)
    assert.deepEqual((await verifyBackup(backups, name, false, none)).problems, [])
    const asked = { folder: backups, at: name, into, keepUidValidity: false, withoutQueue: false }
    assert.deepEqual(restoreAll({ ...asked, nowMs: Date.now() }, none).damaged, [])
    assert.deepEqual((await verifyStore(null, into, false, none)).problems, [])
    const restored = await opened(t, into)
    const there = new Map<number, Set<number>>()
    for (let id = 1; id <= accounts; id++) there.set(id, await numbersIn(restored, id))
    for (const [number, accountId] of before)
      if (!load.expunged.has(number))
        assert.ok(there.get(accountId)!.has(number), `letter ${number} was acknowledged and is not there`)
    await put(restored, 1)
  }
})
