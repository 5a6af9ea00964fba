/**
 * Takes responsibility for one message: files it, queues it, and ends the queue rows it settles, in one transaction. Its
 * body is on the disk when this runs. If anything here fails, nothing of the item has happened.
 */
import type { LeaseTerms, NewQueueEntry, Settlement } from '../queue.ts'
import type { Filed, Filing, SpecialUse } from '../store.ts'
import { flagBits } from '../store.ts'
import type { AddedDelta } from './delta.ts'
import { keywordBits } from './keywords.ts'
import { inboxId, takeUids } from './mailbox-row.ts'
import { addPlaces } from './places.ts'
import { requireRoom } from './quota.ts'
import { type Enqueued, enqueue } from './enqueue.ts'
import { settleOne } from './settle.ts'
import type { Placed } from './segments.ts'
import type { Threading } from './thread.ts'
import { threadFor } from './thread.ts'
import type { Transaction } from './transaction.ts'
import { AccountUnknown } from '../errors.ts'

/** What FETCH answers, made once, at arrival. */
export interface EmailText {
  readonly envelope: string
  readonly bodyStructure: string
  readonly structure: string
  readonly threading: Threading
}

export interface AcceptCall {
  readonly octets: number
  /** Where the body is in the buffer that came with the call, or its file. */
  readonly body: { readonly at: number } | { readonly file: string; readonly hash: Uint8Array }
  readonly texts: readonly EmailText[]
  /** `text` is an index of `texts`: fields in a prefix may change the envelope. */
  readonly filings: readonly (Filing & { readonly text: number })[]
  readonly queue: readonly NewQueueEntry[]
  /** For those of `queue` that are due; null: nobody has room for them. */
  readonly terms: LeaseTerms | null
  readonly settle: readonly Settlement[]
  readonly withinQuota: boolean
}

/** Where the body of a call was put. */
export type Place = Placed | { readonly file: string; readonly hash: Uint8Array }

/** Both in the order of the call. */
export interface AcceptAnswer {
  readonly filed: readonly Filed[]
  readonly enqueued: readonly Enqueued[]
}

export function accept(tx: Transaction, call: AcceptCall, place: Place): AcceptAnswer {
  if (call.withinQuota) for (const { accountId } of call.filings) requireRoom(tx, accountId, [call.octets])
  const filed: Filed[] = []
  for (let i = 0; i < call.filings.length; i++) {
    const filing = call.filings[i]!
    // The same text in two mailboxes of one account is one email.
    const twin = call.filings.findIndex(
      (other) => other.accountId === filing.accountId && other.prefix === filing.prefix,
    )
    filed.push(file(tx, call, filing, place, twin < i ? filed[twin]! : null))
  }
  const enqueued = call.queue.map((entry) =>
    enqueue(tx, entry, addBlob(tx, entry.accountId, call.octets, place), call.octets, call.terms),
  )
  for (const settlement of call.settle) settleOne(tx, settlement)
  return { filed, enqueued }
}

function file(
  tx: Transaction,
  call: AcceptCall,
  filing: AcceptCall['filings'][number],
  place: Place,
  twin: Filed | null,
): Filed {
  const { accountId } = filing
  const octets = filing.prefix.length + call.octets
  const counted = tx.get(
    `UPDATE account_state SET counter = counter + 1, used_octets = used_octets + ?, used_messages = used_messages + 1
      WHERE account = ? RETURNING counter`,
    octets,
    accountId,
  )
  if (counted === undefined) throw new AccountUnknown(`account ${accountId}`)
  const modseq = counted[0] as number
  const added = { count: 1, unseen: (filing.flags & flagBits['\\Seen']) === 0 ? 1 : 0, octets, modseq }
  let mailboxId = filing.mailboxId ?? mailboxOfUse(tx, accountId, filing.specialUse) ?? inboxId
  let taken = takeUids(tx, accountId, mailboxId, added)
  if (taken === null) {
    mailboxId = inboxId
    taken = takeUids(tx, accountId, mailboxId, added)
    if (taken === null) throw new AccountUnknown(`account ${accountId} has no INBOX`)
  }
  const uid = taken.firstUid
  const keywords = keywordBits(tx, accountId, mailboxId, filing.keywords, 'leave-out')
  const emailId =
    twin === null ? addEmail(tx, call, filing, place, modseq, `${mailboxId}:${uid}`) : twin.emailId
  if (twin !== null) addPlaces(tx, emailId, `${mailboxId}:${uid}`)
  tx.run(
    'INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    accountId,
    mailboxId,
    uid,
    modseq,
    filing.flags,
    keywords.bits,
    octets,
    filing.internalDate,
    emailId,
  )
  const delta: AddedDelta = {
    kind: 'added',
    accountId,
    mailboxId,
    modseq,
    uids: [uid],
    modseqs: [modseq],
    flags: [filing.flags],
    keywords: [keywords.bits],
    octets: [octets],
    internalDates: [filing.internalDate],
    emailIds: [emailId],
    keywordNames: keywords.names,
  }
  tx.deltas.push(delta)
  return { accountId, mailboxId, uid, uidValidity: taken.uidValidity, modseq, emailId }
}

function mailboxOfUse(tx: Transaction, accountId: number, use: SpecialUse | undefined): number | null {
  if (use === undefined) return null
  const row = tx.get(
    'SELECT mailbox FROM mailbox WHERE account = ? AND special_use = ? LIMIT 1',
    accountId,
    use,
  )
  return row === undefined ? null : (row[0] as number)
}

function addEmail(
  tx: Transaction,
  call: AcceptCall,
  filing: AcceptCall['filings'][number],
  place: Place,
  modseq: number,
  where: string,
): number {
  const { accountId } = filing
  const text = call.texts[filing.text]!
  const blob = addBlob(tx, accountId, call.octets, place)
  const thread = threadFor(tx, accountId, text.threading, filing.internalDate, modseq)
  const email = tx.numbers.next('email')
  tx.run(
    'INSERT INTO email VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    email,
    accountId,
    thread,
    blob,
    call.octets,
    where,
    filing.prefix,
    text.envelope,
    text.bodyStructure,
    text.structure,
    filing.journeyId,
  )
  return email
}

function addBlob(tx: Transaction, accountId: number, octets: number, place: Place): number {
  const blob = tx.numbers.next('blob')
  if ('file' in place) {
    tx.run(
      'INSERT INTO blob VALUES (?, ?, NULL, NULL, ?, ?, 0, ?, ?)',
      blob,
      accountId,
      octets,
      octets,
      place.hash.subarray(0, 16),
      place.file,
    )
  } else {
    tx.run(
      'INSERT INTO blob VALUES (?, ?, ?, ?, ?, ?, 0, ?, NULL)',
      blob,
      accountId,
      place.segment,
      place.offset,
      octets,
      octets,
      place.hash,
    )
  }
  return blob
}
