/** Reads the rows of a mailbox's index, a page at a time, wherever that is done. */
import type { Sql } from './database.ts'
import type { IndexRow, SharedIndex } from './shared-index.ts'

/** About half a millisecond. */
const rowsAtOnce = 1_000

/** Appends the next rows; their UIDs are above those that are there. @returns Whether there may be more. */
export function readIndexPage(sql: Sql, index: SharedIndex): boolean {
  const rows = sql.all<IndexRow>(
    `SELECT uid, modseq, flags, keywords, octets, internal_date, email FROM message
      WHERE account = ? AND mailbox = ? AND uid > ? ORDER BY uid LIMIT ${rowsAtOnce}`,
    index.accountId,
    index.mailboxId,
    index.length === 0 ? 0 : index.uids[index.length - 1]!,
  )
  for (const row of rows) index.append(row)
  return rows.length === rowsAtOnce
}
