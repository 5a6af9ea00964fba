/**
 * A whole store as one JSON text, so that a later program is tried on what an earlier one has left.
 *
 *   node test/store/store-dump.ts      writes version-N.json for the version of now; do it before a migration is added
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { newestVersion } from '../../src/store/sqlite/migrate.ts'
import { fillStore, openAt } from './kept-store.ts'
import { letter } from './letters.ts'

interface Dump {
  readonly what: string
  readonly tables: string
  /** Below the shard's folder; base64. */
  readonly files: Readonly<Record<string, string>>
}

/** Makes a data folder from a dump. */
export function loadDump(folder: string, version: number): void {
  const file = new URL(`./version-${version}.json`, import.meta.url)
  const dump = JSON.parse(readFileSync(file, 'utf8')) as Dump
  const shard = join(folder, 'shard-00')
  for (const [name, base64] of Object.entries(dump.files)) {
    mkdirSync(dirname(join(shard, name)), { recursive: true })
    writeFileSync(join(shard, name), Buffer.from(base64, 'base64'))
  }
  const db = new DatabaseSync(join(shard, 'meta.db'))
  db.exec(dump.tables)
  db.close()
}

function dumpStore(folder: string, version: number): Dump {
  const shard = join(folder, 'shard-00')
  const files = readdirSync(shard, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.seg'),
  )
  const db = new DatabaseSync(join(shard, 'meta.db'), { readOnly: true })
  const tables = db
    .prepare(
      "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name",
    )
    .all() as { name: string; sql: string }[]
  const lines = tables.map(({ sql }) => `${sql};`)
  for (const { name, sql } of tables) {
    if (!/^CREATE TABLE/i.test(sql)) continue
    const statement = db.prepare(`SELECT * FROM ${name}`)
    statement.setReturnArrays(true)
    for (const row of statement.all() as unknown as unknown[][])
      lines.push(`INSERT INTO ${name} VALUES (${row.map(literal).join(', ')});`)
  }
  db.close()
  return {
    what: `The store of schema ${version} as the program of that version left it`,
    tables: lines.join('\n'),
    files: Object.fromEntries(
      files.map((name) => [name, readFileSync(join(shard, name)).toString('base64')]),
    ),
  }
}

function literal(value: unknown): string {
  if (value === null) return 'NULL'
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}

if (import.meta.main) {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-dump-'))
  const store = await openAt(folder)
  const { bob } = await fillStore(store, Buffer.from(letter('not so large')))
  const old = await store.createMailbox(bob, 'Old')
  await store.copy(bob, 1, [5], old.mailboxId)
  await store.deleteMailbox(bob, old.mailboxId)
  await store.close()
  const version = newestVersion()
  const target = new URL(`./version-${version}.json`, import.meta.url)
  writeFileSync(target, `${JSON.stringify(dumpStore(folder, version), null, 2)}\n`)
  rmSync(folder, { recursive: true })
}
