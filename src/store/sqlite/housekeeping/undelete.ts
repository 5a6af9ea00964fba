/**
 * Puts expunged messages back: into the mailbox they were in, or the one that has its name now, or INBOX, with new UIDs,
 * as RFC 3501 §2.3.1.1 asks. They keep flags, keywords and internal date, but \Deleted goes: the next EXPUNGE of any client
 * would take them away again.
 */
import { flagBits } from '../../store.ts'
import type { MessagePlace, Undeleted } from '../../housekeeping.ts'
import { countAdded, put } from '../copy.ts'
import type { Source } from '../copy.ts'
import { inboxId } from '../mailbox-row.ts'
import { removePlace } from '../places.ts'
import { requireRoom } from '../quota.ts'
import type { Transaction } from '../transaction.ts'

export interface UndeleteCall {
  readonly accountId: number
  readonly messages: readonly MessagePlace[]
}

type SourceRow = readonly [number, number, number, number, number]

/** @returns Those put back; one whose time is over, or that is back already, is passed over. @throws {OverQuota} */
export function undelete(tx: Transaction, { accountId, messages }: UndeleteCall): Undeleted[] {
  const byMailbox = Map.groupBy(messages, ({ mailboxId }) => mailboxId)
  return [...byMailbox].flatMap(([mailboxId, places]) => {
    const uids = [...new Set(places.map(({ uid }) => uid))].sort((a, b) => a - b)
    return undeleteSome(tx, accountId, mailboxId, uids)
  })
}

function undeleteSome(
  tx: Transaction,
  accountId: number,
  mailboxId: number,
  uids: readonly number[],
): Undeleted[] {
  const deleted = deletedName(tx, accountId, mailboxId)
  const sources = uids.flatMap((uid) => take(tx, accountId, mailboxId, uid, deleted !== null))
  if (sources.length === 0) return []
  requireRoom(
    tx,
    accountId,
    sources.map(({ octets }) => octets),
  )
  const targetMailboxId = findTarget(tx, accountId, mailboxId, deleted)
  const targetUids = put(tx, { accountId, mailboxId, targetMailboxId }, sources)
  countAdded(tx, accountId, sources)
  for (const { email, uid } of sources) removePlace(tx, email, `${mailboxId}:${uid}`)
  return sources.map(({ uid }, i) => ({
    from: { mailboxId, uid },
    to: { mailboxId: targetMailboxId, uid: targetUids[i]! },
  }))
}

/** Its name when it was deleted; null when it was not. */
function deletedName(tx: Transaction, accountId: number, mailboxId: number): string | null {
  const row = tx.get(
    'SELECT name FROM deleted_mailbox WHERE account = ? AND mailbox = ?',
    accountId,
    mailboxId,
  )
  return row === undefined ? null : (row[0] as string)
}

/** Takes a tombstone away, or a message of a deleted mailbox. */
function take(
  tx: Transaction,
  accountId: number,
  mailboxId: number,
  uid: number,
  ofDeleted: boolean,
): Source[] {
  const key = [accountId, mailboxId, uid]
  const from = (table: string) =>
    tx.get<SourceRow>(
      `DELETE FROM ${table} WHERE account = ? AND mailbox = ? AND uid = ?
        RETURNING flags, keywords, octets, internal_date, email`,
      ...key,
    )
  let row = from('tombstone')
  if (row === undefined && ofDeleted) {
    row = from('message')
    if (row !== undefined) uncount(tx, accountId, mailboxId, row)
  }
  if (row === undefined) return []
  const [flags, keywords, octets, internalDate, email] = row
  return [{ uid, flags: flags & ~flagBits['\\Deleted'], keywords, octets, internalDate, email }]
}

function uncount(tx: Transaction, accountId: number, mailboxId: number, [flags, , octets]: SourceRow): void {
  tx.run(
    `UPDATE deleted_mailbox SET total = total - 1, unseen = unseen - ?, octets = octets - ?
      WHERE account = ? AND mailbox = ?`,
    (flags & flagBits['\\Seen']) === 0 ? 1 : 0,
    octets,
    accountId,
    mailboxId,
  )
}

function findTarget(tx: Transaction, accountId: number, mailboxId: number, deleted: string | null): number {
  const row = tx.get(
    'SELECT mailbox FROM mailbox WHERE account = ?1 AND (mailbox = ?2 OR name = ?3)',
    accountId,
    mailboxId,
    deleted,
  )
  return row === undefined ? inboxId : (row[0] as number)
}
