/** A folder of version 1, as the program of that version left it, is opened by this one. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { FakeClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import { testFolder } from './folder.ts'
import { letter, put } from './letters.ts'

interface Dump {
  readonly tables: string
  readonly files: Readonly<Record<string, string>>
}

/** Makes a folder from a dump. */
function load(folder: string, name: string): void {
  const dump = JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as Dump
  const shard = join(folder, 'shard-00')
  for (const [file, base64] of Object.entries(dump.files)) {
    mkdirSync(dirname(join(shard, file)), { recursive: true })
    writeFileSync(join(shard, file), Buffer.from(base64, 'base64'))
  }
  const db = new DatabaseSync(join(shard, 'meta.db'))
  db.exec(dump.tables)
  db.close()
}

test('a store of version 1 is opened with all its mail, and what was garbage then is cleared away', async (t) => {
  const folder = testFolder(t)
  load(folder, './version-1.json')
  const clock = new FakeClock(Date.UTC(2026, 10, 2))
  const surroundings = { clock, random: systemRandom, log: silentLog }
  const store = await openStore({ folder, limits: defaultLimits, surroundings })
  t.after(() => store.close())
  const bob = (await store.findAccount('bob@hamburger.example'))!
  assert.deepEqual([bob.usedMessages, bob.quotaOctets, bob.quotaMessages], [6, null, null])
  const index = await store.loadIndex(bob.accountId, 1)
  assert.deepEqual([...index.uids.subarray(0, index.length)], [1, 2, 5, 6])
  assert.deepEqual([...index.flags.subarray(0, 4)], [5, 5, 0, 0])
  assert.deepEqual(index.keywordNames, ['$Work'])
  const emails = await store.getEmails(bob.accountId, [...index.emailIds.subarray(0, 4)])
  const report = await store.clean()
  assert.equal(report.orphanRows, 0)
  for (const [i, email] of emails.entries()) {
    const n = [1, 2, 5, 6][i]!
    assert.equal(email!.prefix, `X-N: ${n}\r\n`)
    const text = letter(`letter ${n}`, `Message-ID: <${n}@crepes.example>\r\n`)
    assert.equal(String(Buffer.from(await store.readBody(email!.body, 0, 1e6))), text)
  }
  // What version 1 expunged it had promised to nobody.
  assert.deepEqual(await store.listExpunged(bob.accountId, { limit: 10 }), [])
  assert.deepEqual(await store.listRemovedAccounts(), [])
  assert.deepEqual(await store.getEmails(bob.accountId, [4]), [null])
  assert.equal((await store.stat()).queued, 1)
  const [gone] = await store.expunge(bob.accountId, 1, [1])
  assert.equal((await store.listExpunged(bob.accountId, { limit: 10 }))[0]!.uid, gone)
  assert.equal((await put(store, bob.accountId)).uid, 7)
  index.release()
})
