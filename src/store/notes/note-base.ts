/** The file of the notes. Worker thread only, docs/decisions/171. */
import { DatabaseSync } from 'node:sqlite'
import { Sql } from '../sqlite/database.ts'

/** One note as it travels between threads; `value` is JSON, null when the note is to go. */
export type PackedNote = readonly [
  kind: string,
  key: string,
  value: string | null,
  expiresAt: number,
  /** Grows with each writing: the order in which notes were written. */
  written: number,
]

const version = 1
const pragmas = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -2000;
`
const tables = `
CREATE TABLE IF NOT EXISTS note (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  written INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS note_written ON note (written);
CREATE INDEX IF NOT EXISTS note_expires ON note (expires_at);
PRAGMA user_version = ${version};
`

export class NoteBase {
  readonly #sql: Sql

  /** @throws {Error} The file is damaged, or of another version. */
  constructor(file: string) {
    const db = new DatabaseSync(file, { timeout: 1_000 })
    this.#sql = new Sql(db)
    try {
      const found = Number(this.#sql.get('PRAGMA user_version')?.[0])
      if (found !== 0 && found !== version) throw new Error(`file is not a database of ours: ${found}`)
      db.exec(pragmas)
      // What is there already is not written again: the disk may be full.
      if (found === 0) db.exec(tables)
    } catch (error) {
      db.close()
      throw error
    }
  }

  /** One page, oldest written first. @param after The `written` of the last one of the page before; 0 at first. */
  load(after: number, limit: number): PackedNote[] {
    return this.#sql.all<PackedNote>(
      'SELECT kind, key, value, expires_at, written FROM note WHERE written > ? ORDER BY written LIMIT ?',
      after,
      limit,
    )
  }

  write(notes: readonly PackedNote[]): void {
    this.#sql.exec('BEGIN IMMEDIATE')
    try {
      for (const [kind, key, value, expiresAt, written] of notes) {
        if (value === null) this.#sql.run('DELETE FROM note WHERE kind = ? AND key = ?', kind, key)
        else {
          const row = [kind, key, value, expiresAt, written]
          this.#sql.run('INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?, ?)', ...row)
        }
      }
      this.#sql.exec('COMMIT')
    } catch (error) {
      this.#sql.exec('ROLLBACK')
      throw error
    }
  }

  expire(nowMs: number): void {
    this.#sql.run('DELETE FROM note WHERE expires_at <= ?', nowMs)
    this.#sql.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  close(): void {
    this.#sql.close()
  }
}
