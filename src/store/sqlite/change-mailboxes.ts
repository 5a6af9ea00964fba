/** Making, renaming and deleting mailboxes. Ids and UIDVALIDITYs are never given out twice. */
import { LimitReached, MailboxExists, MailboxGone } from '../errors.ts'
import type { Mailbox, SpecialUse } from '../store.ts'
import type { Row } from './database.ts'
import { move } from './copy.ts'
import { rememberMailbox } from './housekeeping/deleted-mailboxes.ts'
import { canonicalName, inboxId, mailboxColumns, mailboxOf, requireMailbox } from './mailbox-row.ts'
import type { Transaction } from './transaction.ts'

export interface CreateCall {
  readonly accountId: number
  readonly name: string
  readonly specialUse: SpecialUse | null
}

/** Missing parents are made too, as RFC 3501 §6.3.3 proposes. */
export function createMailbox(tx: Transaction, call: CreateCall): Mailbox {
  const name = canonicalName(call.name)
  checkName(tx, name)
  if (findByName(tx, call.accountId, name) !== undefined) throw new MailboxExists(name)
  createParents(tx, call.accountId, name)
  return addMailbox(tx, call.accountId, name, call.specialUse)
}

export interface RenameCall {
  readonly accountId: number
  readonly mailboxId: number
  readonly name: string
}

export function renameMailbox(tx: Transaction, call: RenameCall): void {
  const { accountId, mailboxId } = call
  const mailbox = requireMailbox(tx, accountId, mailboxId)
  const name = canonicalName(call.name)
  checkName(tx, name)
  if (findByName(tx, accountId, name) !== undefined) throw new MailboxExists(name)
  if (mailboxId === inboxId) {
    renameInbox(tx, accountId, name)
    return
  }
  // Everything under `a/` sorts from 'a/' up to 'a0': '0' follows '/'.
  const children = tx.all<readonly [number, string]>(
    'SELECT mailbox, name FROM mailbox WHERE account = ? AND name > ? AND name < ?',
    accountId,
    `${mailbox.name}/`,
    `${mailbox.name}0`,
  )
  const moving = new Set<unknown>(children.map(([id]) => id))
  setName(tx, accountId, mailboxId, name)
  // The longest first: a/b becomes a/b/b before a becomes a/b.
  for (const [id, old] of [...children].reverse()) {
    const renamed = name + old.slice(mailbox.name.length)
    checkName(tx, renamed)
    const other = findByName(tx, accountId, renamed)
    if (other !== undefined && !moving.has(other[0])) throw new MailboxExists(renamed)
    setName(tx, accountId, id, renamed)
  }
  createParents(tx, accountId, name)
}

/** RFC 3501 §6.3.5: the messages go to the new mailbox, INBOX stays, empty; its children stay too. */
function renameInbox(tx: Transaction, accountId: number, name: string): void {
  createParents(tx, accountId, name)
  const target = addMailbox(tx, accountId, name, null)
  const uids = tx
    .all('SELECT uid FROM message WHERE account = ? AND mailbox = ?', accountId, inboxId)
    .map((row) => row[0] as number)
  move(tx, { accountId, mailboxId: inboxId, uids, targetMailboxId: target.mailboxId })
}

/** The messages stay where they are for a time, so that they can be put back; what they weighed is given back now. */
export function deleteMailbox(
  tx: Transaction,
  call: { readonly accountId: number; readonly mailboxId: number },
): void {
  const { accountId, mailboxId } = call
  // INBOX is always there, RFC 3501 §5.1; the doors refuse this before.
  if (mailboxId === inboxId) throw new MailboxGone('INBOX cannot be deleted')
  const mailbox = requireMailbox(tx, accountId, mailboxId)
  rememberMailbox(tx, accountId, mailboxId)
  tx.run('DELETE FROM mailbox WHERE account = ? AND mailbox = ?', accountId, mailboxId)
  tx.run(
    'UPDATE account_state SET used_octets = used_octets - ?, used_messages = used_messages - ? WHERE account = ?',
    mailbox.octets,
    mailbox.total,
    accountId,
  )
  tell(tx, accountId, mailboxId, true)
}

export function setSubscribed(
  tx: Transaction,
  call: { readonly accountId: number; readonly name: string; readonly subscribed: boolean },
): void {
  const name = canonicalName(call.name)
  checkName(tx, name)
  const changed = call.subscribed
    ? tx.run('INSERT OR IGNORE INTO subscription VALUES (?, ?)', call.accountId, name)
    : tx.run('DELETE FROM subscription WHERE account = ? AND name = ?', call.accountId, name)
  if (changed === 0) return
  const row = findByName(tx, call.accountId, name)
  tell(tx, call.accountId, row === undefined ? 0 : (row[0] as number), false)
}

function addMailbox(
  tx: Transaction,
  accountId: number,
  name: string,
  specialUse: SpecialUse | null,
): Mailbox {
  checkCount(tx, accountId)
  const mailbox = insertMailbox(tx, accountId, name, specialUse)
  const { mailboxId, highestModseq: modseq } = mailbox
  tx.deltas.push({ kind: 'mailboxes', accountId, mailboxId, modseq, deleted: false })
  return mailbox
}

/** The highest UIDVALIDITY that is taken from the clock: in the year 2096. */
const uidValidityMax = 4_000_000_000

/** Also for the first ones of a new account: without checks, and nobody is told. */
export function insertMailbox(
  tx: Transaction,
  accountId: number,
  name: string,
  specialUse: SpecialUse | null,
): Mailbox {
  // It must be above that of any mailbox that had this name before, RFC 3501 §2.3.1.1; seconds since 1970 let a store
  // that was restored from an old copy be above what it had given out since.
  const row = tx.get(
    `UPDATE account_state SET counter = counter + 1, uidvalidity = max(uidvalidity + 1, ?) WHERE account = ?
      RETURNING counter, uidvalidity`,
    // A clock that is wrong by a century must not use up the 32 bits: then each is one above the last.
    Math.floor(tx.nowMs / 1000) < uidValidityMax ? Math.floor(tx.nowMs / 1000) : 0,
    accountId,
  )!
  const inserted = tx.get(
    `INSERT INTO mailbox VALUES (?, ?, ?, ?, 1, ?, 0, 0, 0, ?) RETURNING ${mailboxColumns}`,
    accountId,
    row[0] as number,
    name,
    row[1] as number,
    row[0] as number,
    specialUse,
  )!
  return mailboxOf(accountId, inserted, isSubscribed(tx, accountId, name))
}

function createParents(tx: Transaction, accountId: number, name: string): void {
  const parts = name.split('/')
  for (let i = 1; i < parts.length; i++) {
    const parent = parts.slice(0, i).join('/')
    if (findByName(tx, accountId, parent) !== undefined) continue
    addMailbox(tx, accountId, parent, null)
  }
}

function setName(tx: Transaction, accountId: number, mailboxId: number, name: string): void {
  tx.run('UPDATE mailbox SET name = ? WHERE account = ? AND mailbox = ?', name, accountId, mailboxId)
  tell(tx, accountId, mailboxId, false)
}

function tell(tx: Transaction, accountId: number, mailboxId: number, deleted: boolean): void {
  tx.deltas.push({ kind: 'mailboxes', accountId, mailboxId, modseq: tx.nextNumber(accountId), deleted })
}

function findByName(tx: Transaction, accountId: number, name: string): Row | undefined {
  return tx.get('SELECT mailbox FROM mailbox WHERE account = ? AND name = ?', accountId, name)
}

function isSubscribed(tx: Transaction, accountId: number, name: string): boolean {
  return tx.get('SELECT 1 FROM subscription WHERE account = ? AND name = ?', accountId, name) !== undefined
}

function checkName(tx: Transaction, name: string): void {
  if (Buffer.byteLength(name) > tx.limits.mailboxNameOctets) throw new LimitReached('mailboxNameOctets')
}

function checkCount(tx: Transaction, accountId: number): void {
  const row = tx.get('SELECT count(*) FROM mailbox WHERE account = ?', accountId)!
  if ((row[0] as number) >= tx.limits.mailboxesPerAccount) throw new LimitReached('mailboxesPerAccount')
}
