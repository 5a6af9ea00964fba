import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LimitReached, MailboxExists, MailboxGone } from '../../src/store/errors.ts'
import type { Change } from '../../src/store/changes.ts'
import type { Store } from '../../src/store/store.ts'
import type { Begin } from './contract.ts'
import { put, putMany } from './letters.ts'

async function names(store: Store, accountId: number): Promise<string[]> {
  const first = new Set(['Archive', 'Drafts', 'INBOX', 'Junk', 'Sent', 'Trash'])
  return (await store.listMailboxes(accountId)).map(({ name }) => name).filter((name) => !first.has(name))
}

export function mailboxContract(name: string, begin: Begin): void {
  test(`${name}: a mailbox is made with its parents, once`, async (t) => {
    const { store, bob } = await begin(t)
    const made = await store.createMailbox(bob.accountId, 'a/b/c')
    assert.deepEqual(await names(store, bob.accountId), ['a', 'a/b', 'a/b/c'])
    assert.deepEqual(await store.findMailbox(bob.accountId, 'a/b/c'), made)
    await assert.rejects(store.createMailbox(bob.accountId, 'a/b'), MailboxExists)
    await assert.rejects(store.createMailbox(bob.accountId, 'inbox'), MailboxExists)
    assert.equal((await store.findMailbox(bob.accountId, 'iNbOx'))!.name, 'INBOX')
    assert.equal((await store.createMailbox(bob.accountId, 'inbox/x', '\\Flagged')).name, 'INBOX/x')
  })

  test(`${name}: a mailbox that is deleted and made again has a higher UIDVALIDITY and another id`, async (t) => {
    const { store, bob } = await begin(t)
    const first = await store.createMailbox(bob.accountId, 'lists')
    await put(store, bob.accountId, { mailboxId: first.mailboxId })
    await store.deleteMailbox(bob.accountId, first.mailboxId)
    await assert.rejects(store.deleteMailbox(bob.accountId, first.mailboxId), MailboxGone)
    await assert.rejects(store.loadIndex(bob.accountId, first.mailboxId), MailboxGone)
    const second = await store.createMailbox(bob.accountId, 'lists')
    assert.ok(second.uidValidity > first.uidValidity)
    assert.notEqual(second.mailboxId, first.mailboxId)
    assert.equal(second.total, 0)
    const account = (await store.getAccount(bob.accountId))!
    assert.deepEqual([account.usedMessages, account.usedOctets], [0, 0])
  })

  test(`${name}: a session in a mailbox that another one deletes sees it gone`, async (t) => {
    const { store, bob } = await begin(t)
    const mailbox = await store.createMailbox(bob.accountId, 'lists')
    const index = await store.loadIndex(bob.accountId, mailbox.mailboxId)
    const changes: Change[] = []
    store.subscribe(bob.accountId, (change) => changes.push(change))
    await store.deleteMailbox(bob.accountId, mailbox.mailboxId)
    assert.ok(index.gone)
    assert.deepEqual(
      changes.map(({ kind, mailboxId }) => [kind, mailboxId]),
      [['mailboxes', mailbox.mailboxId]],
    )
    const uids = [1]
    const add = { op: 'add', flags: 1, keywords: [] } as const
    await assert.rejects(store.storeFlags(bob.accountId, mailbox.mailboxId, uids, add), MailboxGone)
    await assert.rejects(store.expunge(bob.accountId, mailbox.mailboxId, uids), MailboxGone)
    await assert.rejects(store.copy(bob.accountId, 1, uids, mailbox.mailboxId), MailboxGone)
    index.release()
    const filed = await put(store, bob.accountId, { mailboxId: mailbox.mailboxId })
    assert.equal(filed.mailboxId, 1, 'mail for a mailbox that has gone is filed in INBOX')
  })

  test(`${name}: children move along with a mailbox that is renamed, and messages stay`, async (t) => {
    const { store, bob } = await begin(t)
    await store.createMailbox(bob.accountId, 'a/b')
    await store.createMailbox(bob.accountId, 'ab')
    const a = (await store.findMailbox(bob.accountId, 'a'))!
    await put(store, bob.accountId, { mailboxId: a.mailboxId })
    await store.renameMailbox(bob.accountId, a.mailboxId, 'x/y')
    assert.deepEqual(await names(store, bob.accountId), ['ab', 'x', 'x/y', 'x/y/b'])
    const moved = (await store.findMailbox(bob.accountId, 'x/y'))!
    assert.deepEqual([moved.mailboxId, moved.uidValidity, moved.total], [a.mailboxId, a.uidValidity, 1])
    await assert.rejects(store.renameMailbox(bob.accountId, a.mailboxId, 'ab'), MailboxExists)
    await assert.rejects(store.renameMailbox(bob.accountId, 999, 'new'), MailboxGone)
    await store.renameMailbox(bob.accountId, a.mailboxId, 'x/y/y')
    assert.deepEqual(await names(store, bob.accountId), ['ab', 'x', 'x/y', 'x/y/y', 'x/y/y/b'])
  })

  test(`${name}: a child that cannot move stops the whole rename`, async (t) => {
    const { store, bob } = await begin(t)
    const parent = await store.createMailbox(bob.accountId, 'new')
    await store.createMailbox(bob.accountId, 'new/b')
    await store.deleteMailbox(bob.accountId, parent.mailboxId)
    await store.createMailbox(bob.accountId, 'old/b')
    const old = (await store.findMailbox(bob.accountId, 'old'))!
    await assert.rejects(store.renameMailbox(bob.accountId, old.mailboxId, 'new'), MailboxExists)
    assert.deepEqual(await names(store, bob.accountId), ['new/b', 'old', 'old/b'])
  })

  test(`${name}: renaming INBOX moves its messages, RFC 3501 §6.3.5`, async (t) => {
    const { store, bob } = await begin(t)
    await putMany(store, bob.accountId, 3)
    const index = await store.loadIndex(bob.accountId, 1)
    await store.renameMailbox(bob.accountId, 1, 'old/mail')
    const old = (await store.findMailbox(bob.accountId, 'old/mail'))!
    const inbox = (await store.findMailbox(bob.accountId, 'INBOX'))!
    assert.deepEqual([old.total, old.uidNext, inbox.total, inbox.uidNext], [3, 4, 0, 4])
    assert.equal(index.length, 0)
    index.release()
  })

  test(`${name}: subscriptions are of names, which need not exist`, async (t) => {
    const { store, bob } = await begin(t)
    await store.setSubscribed(bob.accountId, 'not/there', true)
    await store.setSubscribed(bob.accountId, 'Junk', false)
    const subscriptions = await store.listSubscriptions(bob.accountId)
    assert.deepEqual(subscriptions, ['Archive', 'Drafts', 'INBOX', 'Sent', 'Trash', 'not/there'])
    assert.equal((await store.findMailbox(bob.accountId, 'Junk'))!.subscribed, false)
    assert.equal((await store.createMailbox(bob.accountId, 'not/there')).subscribed, true)
  })

  test(`${name}: mailboxes have bounds`, async (t) => {
    const { store, bob } = await begin(t, { mailboxesPerAccount: 8, mailboxNameOctets: 20 })
    await assert.rejects(store.createMailbox(bob.accountId, 'x'.repeat(21)), LimitReached)
    await assert.rejects(store.createMailbox(bob.accountId, 'a/b/c'), LimitReached)
    assert.deepEqual(await names(store, bob.accountId), [], 'what failed has changed nothing')
    await store.createMailbox(bob.accountId, 'a/b')
    await assert.rejects(store.createMailbox(bob.accountId, 'c'), LimitReached)
  })
}
