/**
 * Batches share commits all the time, the disk fails now and then, and the process is killed: after each round what was
 * acknowledged is there once, what was refused is not, under numbers that were never given twice, for whoever looks.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { seededRandom, systemRandom } from '../../src/base/random.ts'
import { StoreUnavailable } from '../../src/store/errors.ts'
import type { MailboxIndex } from '../../src/store/mailbox-index.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { failNext, makeOrders } from './failing-disk.ts'
import { testFolder } from './folder.ts'
import { acceptOne, filing, itemOf, letter, queueEntry } from './letters.ts'

const module = new URL('./failing-disk.ts', import.meta.url).href
const rounds = 40

function open(folder: string, orders = makeOrders()): Promise<Store> {
  const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
  const options = { folder, limits: defaultLimits, surroundings }
  return openStore(options, { module, data: orders, busyCalls: 0, readingMs: 0 })
}

interface Message {
  readonly subject: string
  flags: number
}

/** What one mailbox holds, by UID, as its owner was told. */
interface Known {
  readonly accountId: number
  readonly mailboxId: number
  readonly messages: Map<number, Message>
  /** UIDs that were expunged. */
  readonly gone: Set<number>
  uidMax: number
}

class World {
  readonly store: Store
  readonly mailboxes: readonly Known[]
  /** Subjects of what waits in the queue, by its number. */
  readonly queue = new Map<number, string>()
  refused = 0
  readonly #random: (below: number) => number
  #letters = 0
  #queueMax = 0
  /** What is leaving the queue, or was last. */
  #settling = 0

  constructor(store: Store, mailboxes: readonly Known[], random: (below: number) => number) {
    this.store = store
    this.mailboxes = mailboxes
    this.#random = random
  }

  /** Several at once; what one asks for is chosen by what was known before any of them. */
  async round(): Promise<void> {
    const kinds = [() => this.#put(), () => this.#put(), () => this.#queue()]
    const asked = Array.from({ length: 1 + this.#random(12) }, () => kinds[this.#random(kinds.length)]!())
    if (this.#random(3) === 0) asked.push(this.#read())
    for (const known of this.mailboxes) {
      const change = [() => this.#flag(known), () => this.#expunge(known)][this.#random(5)]
      if (change !== undefined) asked.push(change())
    }
    if (this.#random(3) === 0) asked.push(this.#settle())
    await Promise.all(asked.map((one) => one.catch((error: unknown) => this.#isRefused(error))))
  }

  #isRefused(error: unknown): void {
    if (!(error instanceof StoreUnavailable)) throw error
    this.refused++
  }

  async #put(): Promise<void> {
    const known = this.mailboxes[this.#random(this.mailboxes.length)]!
    const subject = `letter ${++this.#letters}`
    // Some large enough for a file of its own.
    const text = letter(subject) + (this.#random(12) === 0 ? 'x'.repeat(300_000) : '')
    const item = await itemOf(this.store, text, [filing(known.accountId, { mailboxId: known.mailboxId })])
    const { uid } = (await acceptOne(this.store, item)).filed[0]!
    assert.ok(uid > known.uidMax, `UID ${uid} was given out already, up to ${known.uidMax}`)
    known.uidMax = uid
    known.messages.set(uid, { subject, flags: 0 })
  }

  async #queue(): Promise<void> {
    const subject = `letter ${++this.#letters}`
    const { accountId } = this.mailboxes[0]!
    const item = await itemOf(this.store, letter(subject), [], [queueEntry(accountId)])
    const [queueId] = (await acceptOne(this.store, item)).queueIds
    assert.ok(queueId! > this.#queueMax, `the number ${queueId} was given out already`)
    this.#queueMax = queueId!
    this.queue.set(queueId!, subject)
  }

  async #settle(): Promise<void> {
    const [queueId] = [...this.queue.keys()]
    if (queueId === undefined) return
    this.#settling = queueId
    const recipients = [{ forwardPath: 'alice@crepes.example', state: 'delivered', reply: '250 ok' } as const]
    const { accountId } = this.mailboxes[0]!
    await this.store.settle([{ accountId, queueId, recipients, nextAttemptAt: 5_000 }])
    this.queue.delete(queueId)
  }

  async #flag({ accountId, mailboxId, messages }: Known): Promise<void> {
    const some = [...messages.keys()].filter(() => this.#random(3) === 0)
    const flags = 1 << this.#random(4)
    await this.store.storeFlags(accountId, mailboxId, some, { op: 'set', flags, keywords: [] })
    for (const uid of some) messages.get(uid)!.flags = flags
  }

  async #expunge({ accountId, mailboxId, messages, gone }: Known): Promise<void> {
    const some = [...messages.keys()].filter(() => this.#random(4) === 0)
    assert.deepEqual(await this.store.expunge(accountId, mailboxId, some), some)
    for (const uid of some) {
      messages.delete(uid)
      gone.add(uid)
    }
  }

  /** What has been acknowledged is seen, whatever is being done. */
  async #read(): Promise<void> {
    const known = this.mailboxes[this.#random(this.mailboxes.length)]!
    const { accountId, mailboxId, uidMax } = known
    const queued = [...this.queue.keys()]
    const mailboxes = await this.store.listMailboxes(accountId)
    assert.ok(mailboxes.find((one) => one.mailboxId === mailboxId)!.uidNext > uidMax)
    const there = new Set((await this.store.listQueue(100_000)).map(({ queueId }) => queueId))
    for (const queueId of queued) assert.ok(there.has(queueId) || queueId === this.#settling)
  }
}

/** All that can be read of it is what its owners were told. @param held Indexes that followed all changes. */
async function compare(store: Store, world: World, held: readonly MailboxIndex[]): Promise<void> {
  for (const { accountId, mailboxId, messages, gone } of world.mailboxes) {
    const uids = [...messages.keys()]
    const index = await store.loadIndex(accountId, mailboxId)
    const following = held.find((one) => one.accountId === accountId && one.mailboxId === mailboxId)
    for (const one of [index, following ?? index]) {
      assert.deepEqual([...one.uids.subarray(0, one.length)], uids)
      assert.deepEqual(
        [...one.flags.subarray(0, one.length)],
        [...messages.values()].map(({ flags }) => flags),
      )
    }
    const mailbox = (await store.listMailboxes(accountId)).find((one) => one.mailboxId === mailboxId)!
    const unseen = [...messages.values()].filter(({ flags }) => (flags & 1) === 0).length
    assert.deepEqual([mailbox.total, mailbox.unseen], [uids.length, unseen])
    assert.deepEqual([mailbox.uidNext, mailbox.highestModseq], [index.uidNext, index.highestModseq])
    const emails = await store.getEmails(accountId, [...index.emailIds.subarray(0, index.length)])
    const texts = await Promise.all(emails.map((email) => store.readBody(email!.body, 0, 200)))
    assert.deepEqual(
      texts.map((text) => /Subject: (.*)\r/.exec(String(text))![1]),
      [...messages.values()].map(({ subject }) => subject),
    )
    const { expunged } = await store.changesSince(accountId, mailboxId, 0, 100_000)
    assert.deepEqual(new Set(expunged.map(({ uid }) => uid)), gone)
    index.release()
  }
  const queued = await store.listQueue(100_000)
  assert.deepEqual(
    queued.map(({ queueId }) => queueId),
    [...world.queue.keys()],
  )
  assert.equal(store.queueEntries, queued.length)
  for (const { accountId } of world.mailboxes) {
    const owned = world.mailboxes.filter((one) => one.accountId === accountId)
    const count = owned.reduce((sum, { messages }) => sum + messages.size, 0)
    assert.equal((await store.getAccount(accountId))!.usedMessages, count)
  }
}

/** The folder as a killed process leaves it. */
function killed(t: TestContext, folder: string): string {
  const found = testFolder(t)
  // In this order a checkpoint between the two does no harm, as it would do none to the process's successor.
  const names = ['meta.db', 'meta.db-wal', 'seg', 'big'].filter((name) =>
    existsSync(join(folder, 'shard-00', name)),
  )
  for (const name of names)
    cpSync(join(folder, 'shard-00', name), join(found, 'shard-00', name), { recursive: true })
  return found
}

for (const seed of [1, 2, 3]) {
  test(`whatever fails and whoever reads, what was acknowledged is there once, seed ${seed}`, async (t) => {
    const bytes = seededRandom(seed)
    const random = (below: number) => Buffer.from(bytes.bytes(4)).readUInt32BE() % below
    const [folder, orders] = [testFolder(t), makeOrders()]
    const store = await open(folder, orders)
    t.after(() => store.close())
    await store.addDomain('hamburger.example')
    const mailboxes: Known[] = []
    for (const name of ['bob', 'carol']) {
      const { accountId } = await store.addAccount(`${name}@hamburger.example`, null)
      const lists = await store.createMailbox(accountId, 'lists')
      for (const mailboxId of [1, lists.mailboxId])
        mailboxes.push({ accountId, mailboxId, messages: new Map(), gone: new Set(), uidMax: 0 })
    }
    const world = new World(store, mailboxes, random)
    const held = await Promise.all(
      mailboxes.map(({ accountId, mailboxId }) => store.loadIndex(accountId, mailboxId)),
    )
    for (let i = 0; i < rounds; i++) {
      const call = (['commit', 'write', 'sync', 'create'] as const)[random(8)]
      if (call !== undefined)
        failNext(orders, call, { after: random(4), times: 1 + random(3), half: random(2) === 0 })
      await world.round()
      const isKilled = random(8) === 0
      const left = isKilled ? killed(t, folder) : null
      failNext(orders, 'commit', { times: 0 })
      if (random(3) === 0 || i === rounds - 1) await compare(store, world, held)
      if (left === null) continue
      const again = await open(left)
      await compare(again, world, [])
      await again.close()
    }
    assert.ok(world.refused > 0, 'nothing failed')
    for (const index of held) index.release()
  })
}
