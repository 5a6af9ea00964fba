import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccountUnknown, NameTaken, OverQuota } from '../../src/store/errors.ts'
import type { Change } from '../../src/store/changes.ts'
import type { ExpungedMessage } from '../../src/store/housekeeping.ts'
import type { Store } from '../../src/store/store.ts'
import { eventually } from './contract-accounts.ts'
import { type Begin, dayMs } from './contract.ts'
import { acceptOne, filing, itemOf, letter, put, putMany } from './letters.ts'

const all = { limit: 1_000 }

async function textOf(store: Store, accountId: number, emailId: number): Promise<string> {
  const [email] = await store.getEmails(accountId, [emailId])
  return String(Buffer.from(await store.readBody(email!.body, 0, 1e6)))
}

async function used(store: Store, accountId: number): Promise<[number, number]> {
  const account = (await store.getAccount(accountId))!
  return [account.usedMessages, account.usedOctets]
}

export function housekeepingContract(name: string, begin: Begin): void {
  undeleteContract(name, begin)
  test(`${name}: an account that was removed comes back as it was`, async (t) => {
    const { store, bob, reopen } = await begin(t)
    const filed = await put(store, bob.accountId, { keywords: ['$Work'] })
    const lists = await store.createMailbox(bob.accountId, 'lists')
    await put(store, bob.accountId, { mailboxId: lists.mailboxId })
    const gone = await store.createMailbox(bob.accountId, 'gone')
    await store.deleteMailbox(bob.accountId, gone.mailboxId)
    await store.setSubscribed(bob.accountId, 'lists', true)
    await store.setQuota('bob@hamburger.example', { octets: 1_000_000, messages: 100 })
    const before = (await store.findAccount('bob@hamburger.example'))!
    const mailboxes = await store.listMailboxes(bob.accountId)
    await store.removeAccount('bob@hamburger.example')
    const [removed] = await store.listRemovedAccounts()
    assert.deepEqual([removed!.address, removed!.usedMessages], ['bob@hamburger.example', 2])
    const again = await reopen()
    await again.addAlias('bob@hamburger.example', ['alice@hamburger.example'])
    await assert.rejects(again.restoreAccount('bob@hamburger.example'), NameTaken)
    await again.removeAlias('bob@hamburger.example')
    assert.deepEqual(await again.restoreAccount('Bob@Hamburger.example'), before)
    assert.deepEqual(await again.findAccount('bob@hamburger.example'), before)
    assert.deepEqual(await again.listMailboxes(bob.accountId), mailboxes)
    assert.equal(await textOf(again, bob.accountId, filed.emailId), letter('hello'))
    const next = await put(again, bob.accountId)
    assert.ok(
      next.uid === filed.uid + 1 && next.modseq > filed.modseq && next.uidValidity === filed.uidValidity,
    )
    await assert.rejects(again.restoreAccount('bob@hamburger.example'), AccountUnknown)
  })

  test(`${name}: after its time a removed account is gone for good`, async (t) => {
    const { store, clock, bob } = await begin(t)
    const filed = await put(store, bob.accountId)
    await store.removeAccount('bob@hamburger.example')
    clock.advance(7 * dayMs + 1)
    await eventually(async () => (await store.getEmails(bob.accountId, [filed.emailId]))[0] === null)
    await eventually(async () => (await store.listRemovedAccounts()).length === 0)
    await assert.rejects(store.restoreAccount('bob@hamburger.example'), AccountUnknown)
  })

  test(`${name}: what is over its quota gets nothing more, and one message may go over it`, async (t) => {
    const { store, bob } = await begin(t)
    const size = letter('hello').length
    const address = 'bob@hamburger.example'
    const append = async () =>
      (
        await store.accept([
          { ...(await itemOf(store, letter('hello'), [filing(bob.accountId)])), withinQuota: true },
        ])
      )[0]
    await store.setQuota(address, { octets: size + 1, messages: null })
    assert.equal((await store.findAccount(address))!.quotaOctets, size + 1)
    assert.ok(!((await append()) instanceof Error))
    assert.ok(!((await append()) instanceof Error), 'one over')
    assert.ok((await append()) instanceof OverQuota)
    await put(store, bob.accountId)
    await assert.rejects(store.copy(bob.accountId, 1, [1], 5), OverQuota)
    assert.deepEqual((await store.move(bob.accountId, 1, [1], 5)).sourceUids, [1], 'it is there already')
    await store.setQuota(address, { octets: null, messages: 4 })
    await assert.rejects(store.copy(bob.accountId, 1, [2, 3], 5), OverQuota)
    assert.deepEqual(await used(store, bob.accountId), [3, 3 * size], 'what failed has changed nothing')
    assert.deepEqual((await store.copy(bob.accountId, 1, [2], 5)).sourceUids, [2])
    await assert.rejects(store.copy(bob.accountId, 1, [2], 5), OverQuota)
    await store.expunge(bob.accountId, 1, [2, 3])
    await store.copy(bob.accountId, 5, [1], 1)
    await store.setQuota(address, { octets: null, messages: null })
    assert.ok(!((await append()) instanceof Error))
    await assert.rejects(
      store.setQuota('nobody@hamburger.example', { octets: 1, messages: 1 }),
      AccountUnknown,
    )
  })

  test(`${name}: what has been in Trash and Junk for long enough leaves, and everybody is told`, async (t) => {
    const { store, clock, bob } = await begin(t)
    const idOf = async (mailbox: string) => (await store.findMailbox(bob.accountId, mailbox))!.mailboxId
    const [trash, junk, sent] = [await idOf('Trash'), await idOf('Junk'), await idOf('Sent')]
    for (const mailboxId of [trash, junk, sent]) await put(store, bob.accountId, { mailboxId })
    await put(store, bob.accountId)
    await store.clean()
    clock.advance(20 * dayMs)
    await store.clean()
    // An old letter that is thrown away today stays another thirty days.
    await store.move(bob.accountId, 1, [1], trash)
    await store.clean()
    clock.advance(11 * dayMs)
    const changes: Change[] = []
    store.subscribe(bob.accountId, (change) => changes.push(change))
    const index = await store.loadIndex(bob.accountId, trash)
    assert.equal((await store.clean()).expired, 2)
    assert.deepEqual(
      changes.map((change) => [change.kind, change.mailboxId, 'uids' in change ? change.uids : []]),
      [
        ['expunged', junk, [1]],
        ['expunged', trash, [1]],
      ],
    )
    assert.deepEqual([...index.uids.subarray(0, index.length)], [2])
    assert.equal((await store.listExpunged(bob.accountId, all)).length, 2, 'even these can be put back')
    clock.advance(31 * dayMs)
    assert.equal((await store.clean()).expired, 1)
    assert.equal((await store.findMailbox(bob.accountId, 'Sent'))!.total, 1)
    index.release()
  })

  test(`${name}: with an expiry of 0 nothing leaves`, async (t) => {
    const { store, clock, bob } = await begin(t, { trashExpiryMs: 0 })
    const trash = (await store.findMailbox(bob.accountId, 'Trash'))!
    await put(store, bob.accountId, { mailboxId: trash.mailboxId })
    for (let i = 0; i < 3; i++) {
      assert.equal((await store.clean()).expired, 0)
      clock.advance(100 * dayMs)
    }
  })

  test(`${name}: a mailbox remembers so many expunged UIDs, and says when it does not know`, async (t) => {
    const { store, bob } = await begin(t, { expungedHistory: 10 })
    await putMany(store, bob.accountId, 30)
    const since = (await store.findMailbox(bob.accountId, 'INBOX'))!.highestModseq
    for (let uid = 1; uid <= 20; uid++) await store.expunge(bob.accountId, 1, [uid])
    assert.equal((await store.changesSince(bob.accountId, 1, since, 100)).complete, true)
    assert.equal((await store.clean()).forgotten, 10)
    const changes = await store.changesSince(bob.accountId, 1, since, 100)
    assert.equal(changes.complete, false)
    assert.deepEqual(
      changes.expunged.map(({ uid }) => uid),
      [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
    )
    const known = await store.changesSince(bob.accountId, 1, changes.expunged[0]!.modseq - 1, 100)
    assert.deepEqual([known.complete, known.expunged.length], [true, 10])
    assert.equal((await store.clean()).forgotten, 0)
  })

  test(`${name}: stat counts what is there`, async (t) => {
    const { store, bob, alice } = await begin(t)
    const size = letter('hello').length
    const empty = await store.stat()
    assert.deepEqual([empty.accounts, empty.messages, empty.octets, empty.queued], [2, 0, 0, 0])
    await acceptOne(
      store,
      await itemOf(store, letter('hello'), [filing(bob.accountId), filing(alice.accountId)]),
    )
    await put(store, bob.accountId, {}, letter('large') + 'x'.repeat(600_000))
    await store.expunge(bob.accountId, 1, [1])
    const lists = await store.createMailbox(bob.accountId, 'lists')
    await put(store, bob.accountId, { mailboxId: lists.mailboxId })
    await store.deleteMailbox(bob.accountId, lists.mailboxId)
    await store.removeAccount('alice@hamburger.example')
    const stat = await store.stat()
    assert.deepEqual([stat.accounts, stat.messages], [1, 1])
    assert.deepEqual(stat.undelete, { messages: 3, octets: 3 * size, accounts: 1 })
    assert.deepEqual(stat.largeBodies, { count: 1, octets: 600_000 + letter('large').length })
    assert.equal(stat.segments.bodyOctets, 2 * size, 'a shared body counts once')
    assert.ok(stat.segments.garbageOctets < 10_000, 'the records of what was done')
    assert.ok(stat.tablesOctets > 0)
  })

  test(`${name}: two who ask for a clean store share one pass`, async (t) => {
    const { store, bob } = await begin(t)
    await put(store, bob.accountId)
    const steps: string[] = []
    const [first, second] = await Promise.all([store.clean(({ step }) => steps.push(step)), store.clean()])
    assert.equal(first, second)
    assert.ok(steps.length > 0)
    assert.equal(first.orphanRows, 0)
    const closing = store.clean().catch(() => {})
    await store.close()
    await closing
    await assert.rejects(store.clean())
  })
}

function undeleteContract(name: string, begin: Begin): void {
  test(`${name}: what was expunged is put back with its flags and keywords, under new UIDs`, async (t) => {
    const { store, clock, bob, reopen } = await begin(t)
    const texts = ['one', 'two', 'three'].map((subject) => letter(subject))
    for (const text of texts) await put(store, bob.accountId, { flags: 5, internalDate: 77 }, text)
    await store.storeFlags(bob.accountId, 1, [2, 3], { op: 'add', flags: 8, keywords: ['$Work', '$Old'] })
    await store.expunge(bob.accountId, 1, [2])
    clock.advance(dayMs)
    await store.expunge(bob.accountId, 1, [3])
    const size = texts[0]!.length
    assert.deepEqual(await used(store, bob.accountId), [1, size], 'what can be put back is not counted')
    const again = await reopen()
    const listed = await again.listExpunged(bob.accountId, all)
    const shown = ({ uid, mailbox, mailboxGone, flags, internalDate }: ExpungedMessage) => [
      ...[uid, mailbox, mailboxGone, flags, internalDate],
    ]
    assert.deepEqual(listed.map(shown), [
      [3, 'INBOX', false, 13, 77],
      [2, 'INBOX', false, 13, 77],
    ])
    assert.equal(listed[0]!.expungedAt - listed[1]!.expungedAt, dayMs)
    assert.deepEqual(await again.listExpunged(bob.accountId, { ...all, mailbox: 'Sent' }), [])
    const since = { ...all, since: listed[0]!.expungedAt, mailbox: 'inbox' }
    assert.equal((await again.listExpunged(bob.accountId, since)).length, 1)
    const index = await again.loadIndex(bob.accountId, 1)
    const changes: Change[] = []
    again.subscribe(bob.accountId, (change) => changes.push(change))
    const undeleted = await again.undelete(bob.accountId, [...listed, { mailboxId: 1, uid: 1 }, listed[0]!])
    assert.deepEqual(undeleted, [
      { from: { mailboxId: 1, uid: 2 }, to: { mailboxId: 1, uid: 4 } },
      { from: { mailboxId: 1, uid: 3 }, to: { mailboxId: 1, uid: 5 } },
    ])
    assert.deepEqual([...index.uids.subarray(0, index.length)], [1, 4, 5])
    assert.deepEqual([...index.flags.subarray(0, 3)], [5, 5, 5], 'without \\Deleted')
    assert.deepEqual([...index.keywords.subarray(0, 3)], [0, 3, 3])
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['added'],
    )
    const subjects = await Promise.all(
      [1, 2].map((row) => textOf(again, bob.accountId, index.emailIds[row]!)),
    )
    assert.deepEqual(subjects, texts.slice(1))
    assert.deepEqual(await again.undelete(bob.accountId, listed), [])
    const octets = texts.reduce((sum, text) => sum + text.length, 0)
    assert.deepEqual(await used(again, bob.accountId), [3, octets])
    index.release()
    clock.advance(30 * dayMs)
    await again.clean()
    assert.equal(await textOf(again, bob.accountId, index.emailIds[1]!), texts[1])
  })

  test(`${name}: messages of a mailbox that has gone go to one of its name, else to INBOX`, async (t) => {
    const { store, bob } = await begin(t)
    const lists = await store.createMailbox(bob.accountId, 'lists')
    for (let i = 0; i < 3; i++) await put(store, bob.accountId, { mailboxId: lists.mailboxId })
    await store.storeFlags(bob.accountId, lists.mailboxId, [1, 3], {
      op: 'set',
      flags: 1,
      keywords: ['$Work'],
    })
    await store.expunge(bob.accountId, lists.mailboxId, [1])
    await store.deleteMailbox(bob.accountId, lists.mailboxId)
    assert.deepEqual(await used(store, bob.accountId), [0, 0])
    const listed = await store.listExpunged(bob.accountId, { ...all, mailbox: 'lists' })
    assert.deepEqual(
      listed.map(({ uid, mailboxGone }) => [uid, mailboxGone]),
      [
        [3, true],
        [2, true],
        [1, true],
      ],
    )
    assert.deepEqual(
      (await store.undelete(bob.accountId, [listed[0]!])).map(({ to }) => to),
      [{ mailboxId: 1, uid: 1 }],
    )
    const index = await store.loadIndex(bob.accountId, 1)
    assert.deepEqual([index.flags[0], index.keywordNames], [1, ['$Work']])
    index.release()
    const again = await store.createMailbox(bob.accountId, 'lists')
    const back = await store.undelete(bob.accountId, listed.slice(1))
    assert.deepEqual(
      back.map(({ to }) => to),
      [
        { mailboxId: again.mailboxId, uid: 1 },
        { mailboxId: again.mailboxId, uid: 2 },
      ],
    )
    assert.deepEqual(await store.listExpunged(bob.accountId, all), [])
    assert.equal((await used(store, bob.accountId))[0], 3)
  })

  test(`${name}: after its time an expunged message is gone, and its body with it`, async (t) => {
    const { store, clock, bob } = await begin(t, { undeleteMs: dayMs })
    const first = await put(store, bob.accountId)
    const second = await put(store, bob.accountId)
    await store.copy(bob.accountId, 1, [2], 5)
    await store.expunge(bob.accountId, 1, [1, 2])
    const [email] = await store.getEmails(bob.accountId, [first.emailId])
    clock.advance(dayMs + 1)
    await store.clean()
    assert.deepEqual(await store.listExpunged(bob.accountId, all), [])
    assert.deepEqual(await store.undelete(bob.accountId, [{ mailboxId: 1, uid: 1 }]), [])
    assert.deepEqual(await store.getEmails(bob.accountId, [first.emailId]), [null])
    await assert.rejects(store.readBody(email!.body, 0, 10))
    assert.equal(await textOf(store, bob.accountId, second.emailId), letter('hello'), 'a copy outlives it')
  })

  test(`${name}: another one's messages cannot be put back, nor what an account has no room for`, async (t) => {
    const { store, bob, alice } = await begin(t)
    await putMany(store, bob.accountId, 3)
    await store.expunge(bob.accountId, 1, [1, 2])
    assert.deepEqual(await store.listExpunged(alice.accountId, all), [])
    assert.deepEqual(await store.undelete(alice.accountId, [{ mailboxId: 1, uid: 1 }]), [])
    await store.setQuota('bob@hamburger.example', { octets: null, messages: 1 })
    const listed = await store.listExpunged(bob.accountId, all)
    await assert.rejects(store.undelete(bob.accountId, listed), OverQuota)
    assert.equal((await store.listExpunged(bob.accountId, all)).length, 2)
    const places = listed.map(({ mailboxId, uid }) => ({ mailboxId, uid }))
    await store.removeAccount('bob@hamburger.example')
    await assert.rejects(store.undelete(bob.accountId, places), AccountUnknown)
  })
}
