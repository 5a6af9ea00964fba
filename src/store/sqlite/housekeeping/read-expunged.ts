/** Reads what can be put back, page after page, and lets others run in between. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ExpungedMessage, ExpungedQuery } from '../../housekeeping.ts'
import type { Sql, Value } from '../database.ts'
import { canonicalName } from '../mailbox-row.ts'

const rowsAtOnce = 500
/** Mailboxes. */
const sourcesAtOnce = 100

/** UID, when, flags, octets, internal date, email. */
type ReadRow = readonly [number, number, number, number, number, number]

interface Source {
  readonly mailboxId: number
  readonly name: string
  readonly gone: boolean
  /** Null: each tombstone has its own time. */
  readonly deletedAt: number | null
}

/** @returns The newest first. */
export async function listExpunged(
  sql: Sql,
  accountId: number,
  query: ExpungedQuery,
): Promise<ExpungedMessage[]> {
  const wanted = query.mailbox === undefined ? null : canonicalName(query.mailbox)
  const since = query.since ?? 0
  const found: ExpungedMessage[] = []
  for (const [i, source] of sourcesOf(sql, accountId).entries()) {
    if (i % sourcesAtOnce === sourcesAtOnce - 1) await nextTurn()
    if (wanted !== null && source.name !== wanted) continue
    for await (const row of tombstones(sql, accountId, source.mailboxId)) add(source, row)
    if (source.deletedAt === null || source.deletedAt < since) continue
    for await (const row of left(sql, accountId, source)) add(source, row)
  }
  function add({ mailboxId, name, gone }: Source, row: ReadRow): void {
    const [uid, expungedAt, flags, octets, internalDate, emailId] = row
    if (expungedAt < since) return
    found.push({
      ...{ mailboxId, uid, mailbox: name, mailboxGone: gone },
      ...{ expungedAt, flags, octets, internalDate, emailId },
    })
  }
  found.sort((a, b) => b.expungedAt - a.expungedAt || a.mailboxId - b.mailboxId || b.uid - a.uid)
  return found.slice(0, query.limit)
}

/** The account's mailboxes, those that were deleted not long ago among them. */
function sourcesOf(sql: Sql, accountId: number): Source[] {
  const source =
    (gone: boolean) =>
    ([mailboxId, name, deletedAt]: readonly [number, string, number | null]): Source => ({
      ...{ mailboxId, name, gone, deletedAt },
    })
  return [
    ...sql
      .all<readonly [number, string, null]>(
        'SELECT mailbox, name, NULL FROM mailbox WHERE account = ?',
        accountId,
      )
      .map(source(false)),
    ...sql
      .all<readonly [number, string, number]>(
        'SELECT mailbox, name, deleted_at FROM deleted_mailbox WHERE account = ?',
        accountId,
      )
      .map(source(true)),
  ]
}

function tombstones(sql: Sql, accountId: number, mailboxId: number): AsyncGenerator<ReadRow> {
  return pages(
    sql,
    `SELECT uid, expunged_at, flags, octets, internal_date, email FROM tombstone
      WHERE account = ?1 AND mailbox = ?2 AND uid > ?3 ORDER BY uid LIMIT ${rowsAtOnce}`,
    (after) => [accountId, mailboxId, after],
  )
}

/** What was in a mailbox when it was deleted. */
function left(sql: Sql, accountId: number, source: Source): AsyncGenerator<ReadRow> {
  return pages(
    sql,
    `SELECT uid, ?4, flags, octets, internal_date, email FROM message
      WHERE account = ?1 AND mailbox = ?2 AND uid > ?3 ORDER BY uid LIMIT ${rowsAtOnce}`,
    (after) => [accountId, source.mailboxId, after, source.deletedAt],
  )
}

async function* pages(
  sql: Sql,
  text: string,
  values: (afterUid: number) => Value[],
): AsyncGenerator<ReadRow> {
  for (let after = 0; ; ) {
    const rows = sql.all<ReadRow>(text, ...values(after))
    yield* rows
    if (rows.length < rowsAtOnce) return
    after = rows.at(-1)![0]
    await nextTurn()
  }
}
