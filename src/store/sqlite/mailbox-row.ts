import { MailboxGone } from '../errors.ts'
import type { Mailbox, SpecialUse } from '../store.ts'
import type { Row } from './database.ts'
import type { Transaction } from './transaction.ts'

/** Every account's INBOX has this id: it is the first thing made, and cannot be deleted. */
export const inboxId = 1

/** Without `subscribed`, which belongs to the name. */
export const mailboxColumns =
  'mailbox, name, uidvalidity, uidnext, highestmodseq, total, unseen, octets, special_use'

export function mailboxOf(accountId: number, row: Row, subscribed: boolean): Mailbox {
  return {
    accountId,
    mailboxId: row[0] as number,
    name: row[1] as string,
    uidValidity: row[2] as number,
    uidNext: row[3] as number,
    highestModseq: row[4] as number,
    total: row[5] as number,
    unseen: row[6] as number,
    octets: row[7] as number,
    specialUse: row[8] as SpecialUse | null,
    subscribed,
  }
}

/** INBOX is written in any case, RFC 3501 §5.1; so is it as the first part of a longer name. */
export function canonicalName(name: string): string {
  return /^inbox(\/|$)/i.test(name) ? `INBOX${name.slice(5)}` : name
}

/** @throws {MailboxGone} */
export function requireMailbox(tx: Transaction, accountId: number, mailboxId: number): Mailbox {
  const row = tx.get(
    `SELECT ${mailboxColumns} FROM mailbox WHERE account = ? AND mailbox = ?`,
    accountId,
    mailboxId,
  )
  if (row === undefined) throw new MailboxGone(`mailbox ${mailboxId} of account ${accountId}`)
  return mailboxOf(accountId, row, false)
}

/**
 * Takes UIDs for messages that are put into a mailbox, and counts them.
 *
 * @returns The first UID and the UIDVALIDITY; null when there is no such mailbox.
 */
export function takeUids(
  tx: Transaction,
  accountId: number,
  mailboxId: number,
  added: {
    readonly count: number
    readonly unseen: number
    readonly octets: number
    readonly modseq: number
  },
): { firstUid: number; uidValidity: number } | null {
  const row = tx.get(
    `UPDATE mailbox SET uidnext = uidnext + ?1, highestmodseq = ?2, total = total + ?1, unseen = unseen + ?3,
      octets = octets + ?4 WHERE account = ?5 AND mailbox = ?6 RETURNING uidnext, uidvalidity`,
    added.count,
    added.modseq,
    added.unseen,
    added.octets,
    accountId,
    mailboxId,
  )
  if (row === undefined) return null
  return { firstUid: (row[0] as number) - added.count, uidValidity: row[1] as number }
}
