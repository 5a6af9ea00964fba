/** Random operations on the store and on a few maps must end in the same mail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import type { Store } from '../../src/store/store.ts'
import type { Begin } from './contract.ts'
import { letter, put } from './letters.ts'

interface ModelMessage {
  readonly text: string
  flags: number
  keywords: Set<string>
}

interface ModelMailbox {
  name: string
  uidNext: number
  readonly messages: Map<number, ModelMessage>
  highestModseq: number
}

class Model {
  readonly #store: Store
  readonly #accountId: number
  readonly #random: (below: number) => number
  readonly mailboxes = new Map<number, ModelMailbox>()
  #letters = 0
  #names = 0

  constructor(store: Store, accountId: number, seed: number) {
    this.#store = store
    this.#accountId = accountId
    const random = seededRandom(seed)
    this.#random = (below) => Buffer.from(random.bytes(4)).readUInt32BE() % below
  }

  async begin(): Promise<void> {
    for (const { mailboxId, name } of await this.#store.listMailboxes(this.#accountId))
      this.#add(mailboxId, name)
  }

  step(): Promise<void> {
    const steps = [
      () => this.#put(),
      () => this.#put(),
      () => this.#put(),
      () => this.#flag(),
      () => this.#flag(),
      () => this.#transfer('copy'),
      () => this.#transfer('move'),
      () => this.#expunge(),
      () => this.#create(),
      () => this.#rename(),
      () => this.#delete(),
    ]
    return steps[this.#random(steps.length)]!()
  }

  #add(mailboxId: number, name: string): void {
    assert.ok(!this.mailboxes.has(mailboxId), 'an id is never used again')
    this.mailboxes.set(mailboxId, { name, uidNext: 1, messages: new Map(), highestModseq: 0 })
  }

  #any(): [number, ModelMailbox] {
    return [...this.mailboxes][this.#random(this.mailboxes.size)]!
  }

  #someUids(mailbox: ModelMailbox): number[] {
    const uids = Array.from({ length: this.#random(6) + 1 }, () => this.#random(mailbox.uidNext + 1) + 1)
    return this.#random(4) === 0 ? Array.from({ length: mailbox.uidNext }, (_, i) => i + 1) : uids
  }

  #there(mailbox: ModelMailbox, uids: readonly number[]): number[] {
    return [...new Set(uids)].filter((uid) => mailbox.messages.has(uid)).sort((a, b) => a - b)
  }

  async #put(): Promise<void> {
    const [mailboxId, mailbox] = this.#any()
    const flags = this.#random(32)
    const keywords = this.#random(3) === 0 ? [`k${this.#random(4)}`] : []
    const text = letter(`letter ${this.#letters++}`)
    const filed = await put(this.#store, this.#accountId, { mailboxId, flags, keywords }, text)
    assert.equal(filed.uid, mailbox.uidNext++)
    mailbox.messages.set(filed.uid, { text, flags, keywords: new Set(keywords) })
    this.#grow(mailbox, filed.modseq)
  }

  #grow(mailbox: ModelMailbox, modseq: number): void {
    assert.ok(modseq > mailbox.highestModseq, 'MODSEQs only grow')
    mailbox.highestModseq = modseq
  }

  async #flag(): Promise<void> {
    const [mailboxId, mailbox] = this.#any()
    const op = (['set', 'add', 'remove'] as const)[this.#random(3)]!
    const flags = this.#random(32)
    const keywords = this.#random(2) === 0 ? [] : [`k${this.#random(4)}`]
    const uids = this.#someUids(mailbox)
    await this.#store.storeFlags(this.#accountId, mailboxId, uids, { op, flags, keywords })
    for (const uid of this.#there(mailbox, uids)) {
      const message = mailbox.messages.get(uid)!
      if (op === 'set') message.keywords = new Set(keywords)
      for (const keyword of keywords) message.keywords[op === 'remove' ? 'delete' : 'add'](keyword)
      message.flags = op === 'set' ? flags : op === 'add' ? message.flags | flags : message.flags & ~flags
    }
  }

  async #transfer(how: 'copy' | 'move'): Promise<void> {
    const [from, source] = this.#any()
    const [to, target] = this.#any()
    const uids = this.#someUids(source)
    const there = this.#there(source, uids)
    const copied = await this.#store[how](this.#accountId, from, uids, to)
    assert.deepEqual(copied.sourceUids, there)
    const messages = there.map((uid) => source.messages.get(uid)!)
    assert.deepEqual(
      copied.targetUids,
      there.map((_, i) => target.uidNext + i),
    )
    if (how === 'move') for (const uid of there) source.messages.delete(uid)
    for (const message of messages) {
      target.messages.set(target.uidNext++, { ...message, keywords: new Set(message.keywords) })
    }
  }

  async #expunge(): Promise<void> {
    const [mailboxId, mailbox] = this.#any()
    const uids = this.#someUids(mailbox)
    const there = this.#there(mailbox, uids)
    assert.deepEqual(await this.#store.expunge(this.#accountId, mailboxId, uids), there)
    for (const uid of there) mailbox.messages.delete(uid)
  }

  async #create(): Promise<void> {
    const name = `m${this.#names++}`
    const { mailboxId } = await this.#store.createMailbox(this.#accountId, name)
    this.#add(mailboxId, name)
  }

  async #rename(): Promise<void> {
    const [mailboxId, mailbox] = this.#any()
    if (mailbox.name === 'INBOX') return
    mailbox.name = `r${this.#names++}`
    await this.#store.renameMailbox(this.#accountId, mailboxId, mailbox.name)
  }

  async #delete(): Promise<void> {
    const [mailboxId, mailbox] = this.#any()
    if (mailbox.name === 'INBOX' || this.#random(3) > 0) return
    await this.#store.deleteMailbox(this.#accountId, mailboxId)
    this.mailboxes.delete(mailboxId)
  }
}

async function compare(store: Store, accountId: number, model: Model): Promise<void> {
  const mailboxes = await store.listMailboxes(accountId)
  assert.equal(mailboxes.length, model.mailboxes.size)
  let messages = 0
  let octets = 0
  for (const mailbox of mailboxes) {
    const expected = model.mailboxes.get(mailbox.mailboxId)!
    assert.equal(mailbox.name, expected.name)
    assert.equal(mailbox.uidNext, expected.uidNext)
    const index = await store.loadIndex(accountId, mailbox.mailboxId)
    const uids = [...expected.messages.keys()].sort((a, b) => a - b)
    assert.deepEqual([...index.uids.subarray(0, index.length)], uids)
    assert.deepEqual([mailbox.total, index.uidNext], [uids.length, expected.uidNext])
    assert.ok(index.highestModseq >= expected.highestModseq)
    assert.equal(index.highestModseq, mailbox.highestModseq)
    for (let row = 0; row < index.length; row++) {
      const message = expected.messages.get(index.uids[row]!)!
      assert.equal(index.flags[row], message.flags)
      const keywords = index.keywordNames.filter((_, bit) => (index.keywords[row]! >>> bit) & 1)
      assert.deepEqual(keywords.sort(), [...message.keywords].sort())
      const [email] = await store.getEmails(accountId, [index.emailIds[row]!])
      assert.equal(Buffer.from(await store.readBody(email!.body, 0, 1_000)).toString('latin1'), message.text)
    }
    const unseen = [...expected.messages.values()].filter(({ flags }) => (flags & 1) === 0).length
    assert.equal(mailbox.unseen, unseen)
    messages += index.length
    octets += mailbox.octets
    index.release()
  }
  const account = (await store.getAccount(accountId))!
  assert.deepEqual([account.usedMessages, account.usedOctets], [messages, octets])
}

export function modelContract(name: string, begin: Begin): void {
  for (const seed of [1, 2, 3]) {
    test(`${name}: after random operations the mail is what a model of it says, seed ${seed}`, async (t) => {
      const { store, clock, bob, reopen } = await begin(t)
      const model = new Model(store, bob.accountId, seed)
      await model.begin()
      // An index that is open all the time must follow everything.
      const inbox = await store.loadIndex(bob.accountId, 1)
      for (let i = 0; i < 300; i++) {
        await model.step()
        if (i % 50 === 0) clock.advance(6 * 60_000)
      }
      await compare(store, bob.accountId, model)
      inbox.release()
      await compare(await reopen(), bob.accountId, model)
    })
  }
}
