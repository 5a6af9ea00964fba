/** What one account had in a backup and has not any more is put back. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { type AccountRestoreRequest, backUp, restoreAccount, verifyStore } from '../../src/store/backup.ts'
import { AccountUnknown } from '../../src/store/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { testFolder } from './folder.ts'
import { fillStore, opened, readAll, type ShownMessage } from './kept-store.ts'
import { put } from './letters.ts'

const none = () => {}
const address = 'bob@hamburger.example'

async function begin(t: TestContext) {
  const folder = testFolder(t)
  const data = join(folder, 'data')
  const backups = join(folder, 'backups')
  const store = await opened(t, data)
  const accounts = await fillStore(store)
  const request = { folder: backups, keep: null, journeys: false, link: false }
  await backUp(store, data, systemClock, request, none)
  const restore = (more: Partial<AccountRestoreRequest> = {}) =>
    restoreAccount(store, data, { folder: backups, at: null, address, as: null, under: null, ...more }, none)
  return { store, data, backups, restore, ...accounts }
}

/** Without UIDs, which are new; \Deleted is not restored. */
const content = (messages: readonly ShownMessage[]) =>
  messages.map(({ uid, ...rest }) => JSON.stringify({ ...rest, keywords: [...rest.keywords].sort() })).sort()

async function expungeAll(store: Store, accountId: number): Promise<void> {
  for (const { mailboxId } of await store.listMailboxes(accountId)) {
    const index = await store.loadIndex(accountId, mailboxId)
    await store.expunge(accountId, mailboxId, [...index.uids.subarray(0, index.length)])
    index.release()
  }
}

test('messages that were expunged come back with flags, keywords and dates, and only those', async (t) => {
  const { store, data, restore, bob } = await begin(t)
  const before = await readAll(store, bob)
  await store.expunge(bob, 1, [1, 2, 6, 17])
  const { mailboxId } = (await store.findMailbox(bob, 'Projects/2026'))!
  await store.deleteMailbox(bob, mailboxId)
  await put(store, bob, {}, 'Subject: since\r\n\r\nx\r\n')
  const report = await restore()
  assert.deepEqual([report.added, report.failedCount, report.accountMade], [7, 0, false])
  assert.deepEqual(report.mailboxesMade, ['Projects/2026'])
  const after = await readAll(store, bob)
  assert.deepEqual(content(after.filter(({ text }) => !text.includes('since'))), content(before))
  assert.equal((await restore()).added, 0)
  assert.deepEqual((await verifyStore(store, data, false, none)).problems, [])
})

test('under a name of their own they can be removed again', async (t) => {
  const { store, restore, bob } = await begin(t)
  await store.expunge(bob, 1, [1, 2])
  const report = await restore({ under: 'Restored' })
  assert.deepEqual([report.added, report.mailboxesMade], [2, ['Restored/INBOX']])
  assert.equal((await store.findMailbox(bob, 'Restored/INBOX'))!.total, 2)
  assert.equal((await restore({ under: 'Restored' })).added, 0)
})

test('an account that was removed comes back with its password', async (t) => {
  const { store, restore, bob } = await begin(t)
  const before = await readAll(store, bob)
  await store.removeAccount(address)
  const report = await restore()
  assert.deepEqual([report.accountMade, report.added], [true, before.length])
  const account = (await store.findAccount(address))!
  assert.equal(account.passwordHash, 'hash')
  assert.deepEqual(content(await readAll(store, account.accountId)), content(before))
})

test('the mail of one account can be put into another', async (t) => {
  const { store, data, restore, bob, alice } = await begin(t)
  const [had, before] = [await readAll(store, alice), await readAll(store, bob)]
  const report = await restore({ as: 'alice@hamburger.example', under: 'Bob' })
  const after = await readAll(store, alice)
  // The large letter went to both, and its body is the same; INBOX of alice has it already.
  assert.equal(report.added, before.length - 1)
  assert.equal(after.length, had.length + report.added)
  await assert.rejects(restore({ as: 'nobody@hamburger.example' }), AccountUnknown)
  await assert.rejects(restore({ address: 'nobody@hamburger.example' }), AccountUnknown)
  assert.deepEqual((await verifyStore(store, data, false, none)).problems, [])
})

test('what a full account has no room for is told', async (t) => {
  const { store, restore, bob } = await begin(t)
  await expungeAll(store, bob)
  await store.setQuota(address, { octets: null, messages: 5 })
  const report = await restore()
  assert.ok(report.added >= 5 && report.failedCount > 0)
  assert.match(report.failed[0]!, /full/)
})
