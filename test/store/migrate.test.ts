/** Each earlier version of the tables leads to the newest; an upgrade that fails changes nothing. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { verifyStore } from '../../src/store/backup.ts'
import { migrations } from '../../src/store/migrations/all.ts'
import { openForReading, openForWriting } from '../../src/store/sqlite/database.ts'
import { migrate, newestVersion, versionOf } from '../../src/store/sqlite/migrate.ts'
import { testFolder } from './folder.ts'
import { openAt, readAll } from './kept-store.ts'
import { put } from './letters.ts'
import { loadDump } from './store-dump.ts'

const none = () => {}
const tables = (folder: string) => join(folder, 'shard-00/meta.db')

function versionIn(folder: string): number {
  const sql = openForReading(tables(folder))
  try {
    return versionOf(sql)
  } finally {
    sql.close()
  }
}

for (const { version } of migrations) {
  test(`a store of version ${version} is sound, becomes one of version ${newestVersion()} and stays sound`, async (t) => {
    const folder = testFolder(t)
    // One that is missing: node test/store/store-dump.ts, with the program of that version.
    loadDump(folder, version)
    assert.deepEqual((await verifyStore(null, folder, false, none)).problems, [])
    assert.equal(versionIn(folder), version, 'verify changes nothing')
    const store = await openAt(folder)
    const { accountId } = (await store.findAccount('bob@hamburger.example'))!
    const messages = await readAll(store, accountId)
    assert.ok(messages.length > 3)
    await put(store, accountId)
    const asked = (await store.listQueue(10)).filter(({ wishes }) => wishes.requireTls)
    assert.equal(asked.length, version < 3 ? 0 : 1, 'what was queued before asked for nothing')
    assert.equal((await store.listDomainKeys('hamburger.example')).length, version < 3 ? 0 : 1)
    await store.close()
    assert.equal(versionIn(folder), newestVersion())
    assert.deepEqual((await verifyStore(null, folder, false, none)).problems, [])
  })
}

test('an upgrade that fails leaves the store as it was, for the program that wrote it', async (t) => {
  const folder = testFolder(t)
  loadDump(folder, newestVersion())
  const further = [
    {
      version: newestVersion() + 1,
      sql: 'CREATE TABLE more (a); UPDATE mailbox SET total = 0; DROP TABLE queue',
    },
    { version: newestVersion() + 2, sql: 'INSERT INTO more VALUES (1); INSERT INTO nowhere VALUES (1)' },
  ]
  const sql = openForWriting(tables(folder))
  assert.throws(() => migrate(sql, [...migrations, ...further]), /nowhere/)
  assert.equal(versionOf(sql), newestVersion())
  sql.close()
  const store = await openAt(folder)
  await put(store, (await store.findAccount('bob@hamburger.example'))!.accountId)
  await store.close()
  assert.deepEqual((await verifyStore(null, folder, false, none)).problems, [])
  const again = openForWriting(tables(folder))
  migrate(again, [...migrations, further[0]!])
  assert.equal(versionOf(again), newestVersion() + 1)
  again.close()
})

test('the first tables are made whole or not at all', (t) => {
  const file = join(testFolder(t), 'meta.db')
  const sql = openForWriting(file)
  assert.throws(() => migrate(sql, [{ version: 1, sql: 'CREATE TABLE a (b); nonsense' }]))
  assert.equal(versionOf(sql), 0)
  migrate(sql)
  assert.equal(versionOf(sql), newestVersion())
  sql.close()
})
