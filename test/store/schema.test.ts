import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrations } from '../../src/store/migrations/all.ts'
import { openForWriting } from '../../src/store/sqlite/database.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { testFolder } from './folder.ts'

/** Keyed by a number of the whole shard, docs/decisions/010. */
const byShardNumber = new Set(['email', 'blob', 'garbage'])
/** The one claim on names; its key is the name. */
const byName = new Set(['address'])

test('every key of a per-account table begins with the account', () => {
  const db = new DatabaseSync(':memory:')
  for (const { sql } of migrations) db.exec(sql)
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[]
  let checked = 0
  for (const { name } of tables) {
    const columns = db.prepare(`PRAGMA table_info(${name})`).all() as { name: string; pk: number }[]
    if (!columns.some((column) => column.name === 'account')) continue
    if (byShardNumber.has(name) || byName.has(name)) continue
    checked++
    assert.equal(columns.find(({ pk }) => pk === 1)?.name, 'account', `primary key of ${name}`)
    const indexes = db.prepare(`PRAGMA index_list(${name})`).all() as { name: string; unique: number }[]
    for (const index of indexes.filter(({ unique }) => unique === 1)) {
      const [first] = db.prepare(`PRAGMA index_info(${index.name})`).all() as { name: string }[]
      assert.equal(first!.name, 'account', `unique index ${index.name} of ${name}`)
    }
  }
  assert.ok(checked >= 10, String(checked))
  db.close()
})

test('a folder of a newer version is left alone', (t) => {
  const sql = openForWriting(join(testFolder(t), 'meta.db'))
  migrate(sql)
  migrate(sql)
  sql.exec('INSERT INTO schema_version VALUES (999)')
  assert.throws(() => migrate(sql), /version 999/)
  sql.close()
})

test('migrations are numbered from 1 without a gap', () => {
  assert.deepEqual(
    migrations.map(({ version }) => version),
    migrations.map((_, i) => i + 1),
  )
})
