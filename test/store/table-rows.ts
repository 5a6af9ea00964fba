import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const tables = [
  ...['account_state', 'blob', 'counter', 'email', 'expunged', 'garbage', 'keyword', 'mailbox', 'message'],
  ...['queue', 'queue_recipient', 'thread_ref', 'tombstone'],
]

/** What the tables of a data folder show, whether they are open or not. */
export function rowsOf(folder: string): Record<string, unknown[]> {
  const db = new DatabaseSync(join(folder, 'shard-00/meta.db'), { readOnly: true })
  const there = db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map(({ name }) => name)
  const found: Record<string, unknown[]> = {}
  for (const name of tables.filter((table) => there.includes(table)))
    found[name] = db.prepare(`SELECT * FROM ${name}`).all()
  db.close()
  return found
}
