/**
 * Which thread a message belongs to: that of an earlier one that shares a Message-ID with it and has the same base
 * subject, as RFC 8621 §3 proposes. A reply that names no message at all joins by its subject, as RFC 5256 §3 step 5 has
 * it, but only what was written by somebody it is addressed to, within some weeks: docs/decisions/200.
 * Each is hashed into one number, so one look-up answers for one reference, and for one addressee.
 */
import { hash } from 'node:crypto'
import type { Address } from '../../message/address.ts'
import { type Envelope, messageIds, reduceSubject } from '../../message/envelope.ts'
import type { Transaction } from './transaction.ts'

/** A message with more references is a mistake or an attack; the newest ones stand last. */
const referencesMax = 20
/** Addressees of a reply without references that are asked about. */
const addresseesMax = 10
/** A reply joins by its subject after at most twice this time, and surely within it. */
const periodMs = 30 * 24 * 60 * 60_000

export interface Threading {
  /** Hash of its own Message-ID; null without one. */
  readonly own: number | null
  /** Of what it refers to. */
  readonly references: readonly number[]
  /** Hash of its subject and author, for replies that refer to nothing; null without a subject or an author. */
  readonly written: number | null
  /** Such hashes of what it may answer: none, unless it is a reply that refers to nothing. */
  readonly answers: readonly number[]
}

export function threadingOf(envelope: Envelope): Threading {
  const own = envelope.messageId === null ? null : (messageIds(envelope.messageId)[0] ?? null)
  const replied = envelope.inReplyTo === null ? [] : messageIds(envelope.inReplyTo)
  const references = eachOnce(envelope.references, replied).slice(-referencesMax)
  const { base, reply } = reduceSubject(envelope.subject ?? '')
  const subject = base.toLowerCase()
  const author = subject === '' ? undefined : addressesOf(envelope.from)[0]
  const isReply = subject !== '' && references.length === 0 && reply
  const addressees = isReply ? eachOnce(addressesOf(envelope.to), addressesOf(envelope.cc)) : []
  return {
    own: own === null ? null : hashOf(own, subject),
    references: references.map((reference) => hashOf(reference, subject)),
    written: author === undefined ? null : hashOf(author, subject),
    answers: addressees.slice(0, addresseesMax).map((addressee) => hashOf(addressee, subject)),
  }
}

/** Both lists in their order, without what comes again. */
function eachOnce(first: readonly string[], second: readonly string[]): readonly string[] {
  const both = second.length === 0 ? first : [...first, ...second]
  // A set of few costs more than a look at each.
  return both.length > 8 ? [...new Set(both)] : both.filter((text, index) => both.indexOf(text) === index)
}

function addressesOf(addresses: readonly Address[]): string[] {
  const texts: string[] = []
  for (const { mailbox, host } of addresses) {
    // A group's name has no host; its end has neither.
    if (mailbox !== null && host !== null) texts.push(`${mailbox}@${host}`.toLowerCase())
  }
  return texts
}

/** 48 bits: enough among the messages of one account, and a plain number. */
function hashOf(name: string, subject: string): number {
  const octets = hash('sha1', `${name}\0${subject}`, 'latin1')
  let number = 0
  for (let index = 0; index < 6; index++) number = number * 256 + octets.charCodeAt(index)
  return number
}

/** Apart from the numbers of references: 2^48 is set. */
function numberInPeriod(written: number, period: number): number {
  return 2 ** 48 + ((((written + period * 0x9e3779b1) % 2 ** 48) + 2 ** 48) % 2 ** 48)
}

/**
 * @param fresh The number of a thread that begins here.
 * @param arrivedAt Milliseconds since 1970.
 */
export function threadFor(
  tx: Transaction,
  accountId: number,
  threading: Threading,
  arrivedAt: number,
  fresh: number,
): number {
  const { own, references, written, answers } = threading
  const period = Math.floor(arrivedAt / periodMs)
  const thread =
    own !== null && references.length === 0 && answers.length === 0
      ? threadOf(tx, accountId, own, fresh)
      : joined(tx, accountId, threading, period, fresh)
  // An answer is to the newest that has this subject.
  if (written !== null)
    tx.run('INSERT OR REPLACE INTO refs VALUES (?, ?, ?)', accountId, numberInPeriod(written, period), thread)
  return thread
}

/** That of a message that refers to nothing: the one that others expect for it, or its own. As most are: one statement. */
function threadOf(tx: Transaction, accountId: number, own: number, fresh: number): number {
  const row = tx.get(
    'INSERT INTO refs VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET thread = thread RETURNING thread',
    accountId,
    own,
    fresh,
  )
  return row![0] as number
}

function joined(
  tx: Transaction,
  accountId: number,
  { own, references, answers }: Threading,
  period: number,
  fresh: number,
): number {
  const all = own === null ? references : [own, ...references]
  let thread = 0
  const missing: number[] = []
  for (const id of all) {
    const found = lookUp(tx, accountId, id)
    if (found === null) missing.push(id)
    else if (thread === 0) thread = found
  }
  if (thread === 0) thread = answered(tx, accountId, answers, period) ?? fresh
  // A reference to a message that is not here yet is kept, so that it joins when it comes.
  for (const id of missing) tx.run('INSERT OR IGNORE INTO refs VALUES (?, ?, ?)', accountId, id, thread)
  return thread
}

function answered(
  tx: Transaction,
  accountId: number,
  answers: readonly number[],
  period: number,
): number | null {
  for (const at of [period, period - 1])
    for (const written of answers) {
      const found = lookUp(tx, accountId, numberInPeriod(written, at))
      if (found !== null) return found
    }
  return null
}

function lookUp(tx: Transaction, accountId: number, number: number): number | null {
  const found = tx.get('SELECT thread FROM refs WHERE account = ? AND hash = ?', accountId, number)
  return found === undefined ? null : (found[0] as number)
}
