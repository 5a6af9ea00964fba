/** The server's side of exports: pages of messages with what they are marked with. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Account } from '../store/accounts.ts'
import { BodyUnreadable } from '../store/errors.ts'
import type { MailboxIndex } from '../store/mailbox-index.ts'
import type { Email, Store } from '../store/store.ts'
import { accountKeyOf } from './import-desk.ts'
import type { ExportedMailbox, ExportedMessage, ExportedPage } from './wire.ts'
import { requestMessages, requestOctets } from './wire.ts'

const LF = 10

export async function listForExport(
  store: Store,
  account: Account,
): Promise<{ accountKey: string; mailboxes: ExportedMailbox[] }> {
  const all = await store.listMailboxes(account.accountId)
  const mailboxes = all.map(({ mailboxId, name, uidValidity, total, octets }) => ({
    ...{ mailboxId, name, uidValidity, total, octets },
  }))
  return { accountKey: accountKeyOf(account, all), mailboxes }
}

/** @param after UID, exclusive. @throws {MailboxGone} */
export async function readPage(
  store: Store,
  accountId: number,
  mailboxId: number,
  after: number,
): Promise<ExportedPage> {
  const index = await store.loadIndex(accountId, mailboxId)
  try {
    const wanted = rowsAfter(index, after)
    const emails = await store.getEmails(
      accountId,
      wanted.map(({ emailId }) => emailId),
    )
    // It may give fewer.
    const rows = wanted.slice(0, emails.length)
    const messages: ExportedMessage[] = []
    let octets = 0
    for (const [i, row] of rows.entries()) {
      const email = emails[i]
      // Removed in between.
      if (email == null) continue
      const small = email.octets <= requestOctets
      if (small && messages.length > 0 && octets + email.octets > requestOctets) {
        return { uidValidity: index.uidValidity, messages, upTo: messages.at(-1)!.uid, more: true }
      }
      messages.push({ ...row.told, ...(await readMessage(store, email, small)) })
      if (small) octets += email.octets
      if (octets > requestOctets / 4) await nextTurn()
    }
    const upTo = rows.at(-1)?.told.uid ?? after
    return {
      uidValidity: index.uidValidity,
      messages,
      upTo,
      more: rows.length < wanted.length || rows.length === requestMessages,
    }
  } finally {
    index.release()
  }
}

/** Copied in one turn: the index changes between turns. */
function rowsAfter(index: MailboxIndex, after: number) {
  const rows = []
  for (let row = firstAfter(index, after); row < index.length && rows.length < requestMessages; row++) {
    const bits = index.keywords[row]!
    rows.push({
      emailId: index.emailIds[row]!,
      told: {
        uid: index.uids[row]!,
        flags: index.flags[row]!,
        keywords: index.keywordNames.filter((_, bit) => ((bits >>> bit) & 1) === 1),
        internalDate: index.internalDates[row]!,
      },
    })
  }
  return rows
}

function firstAfter(index: MailboxIndex, after: number): number {
  let low = 0
  let high = index.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (index.uids[middle]! <= after) low = middle + 1
    else high = middle
  }
  return low
}

async function readMessage(
  store: Store,
  email: Email,
  whole: boolean,
): Promise<Pick<ExportedMessage, 'octets' | 'terminated' | 'text' | 'unreadable'>> {
  const { octets } = email
  try {
    const from = whole ? 0 : octets - 1
    const read = await readOctets(store, email, from, octets - from)
    const terminated = read.at(-1) === LF
    return { octets, terminated, text: whole ? read.toString('latin1') : null, unreadable: false }
  } catch (error) {
    if (!(error instanceof BodyUnreadable)) throw error
    return { octets, terminated: true, text: null, unreadable: true }
  }
}

/** Octets of a message, prefix and body. @throws {BodyUnreadable} */
async function readOctets(store: Store, email: Email, from: number, octets: number): Promise<Buffer> {
  const { prefix, body } = email
  const head = Buffer.from(prefix.slice(from, from + octets), 'latin1')
  if (head.length === octets) return head
  const rest = await store.readBody(body, Math.max(0, from - prefix.length), octets - head.length)
  return Buffer.concat([head, rest])
}

/** Part of a message that was too long for its page. @throws {MailboxGone} @returns Null when it has gone. */
export async function readPart(
  store: Store,
  accountId: number,
  mailboxId: number,
  uid: number,
  offset: number,
): Promise<string | null> {
  const index = await store.loadIndex(accountId, mailboxId)
  try {
    const row = index.rowOf(uid)
    const [email] = row < 0 ? [] : await store.getEmails(accountId, [index.emailIds[row]!])
    if (email == null) return null
    const octets = Math.max(0, Math.min(requestOctets, email.octets - offset))
    return (await readOctets(store, email, offset, octets)).toString('latin1')
  } finally {
    index.release()
  }
}
