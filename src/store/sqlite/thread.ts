/**
 * Which thread a message belongs to: that of an earlier one that shares a Message-ID with it and has the same base
 * subject, as RFC 8621 §3 proposes. Both are hashed into one number, so one look-up per reference answers.
 */
import { hash } from 'node:crypto'
import type { Transaction } from './transaction.ts'

/** A message with more references is a mistake or an attack; the newest ones stand last. */
const referencesMax = 20

export interface Threading {
  /** Hash of its own Message-ID; null without one. */
  readonly own: number | null
  /** Of what it refers to. */
  readonly references: readonly number[]
}

/** @param references Message-IDs of References and In-Reply-To. */
export function threadingOf(
  messageId: string | null,
  references: readonly string[],
  baseSubject: string,
): Threading {
  const newest = references.length > referencesMax ? references.slice(-referencesMax) : references
  return {
    own: messageId === null ? null : hashOf(messageId, baseSubject),
    references: newest.map((reference) => hashOf(reference, baseSubject)),
  }
}

/** 48 bits: enough among the messages of one account, and a plain number. */
function hashOf(messageId: string, baseSubject: string): number {
  return hash('sha1', `${messageId}\0${baseSubject}`, 'buffer').readUIntBE(0, 6)
}

/** @param fresh The number of a thread that begins here. */
export function threadFor(tx: Transaction, accountId: number, threading: Threading, fresh: number): number {
  const { own, references } = threading
  const all = own === null ? references : [own, ...references]
  let thread = 0
  const missing: number[] = []
  for (const id of all) {
    const found = tx.get('SELECT thread FROM refs WHERE account = ? AND hash = ?', accountId, id)
    if (found === undefined) missing.push(id)
    else if (thread === 0) thread = found[0] as number
  }
  if (thread === 0) thread = fresh
  // A reference to a message that is not here yet is kept, so that it joins when it comes.
  for (const id of missing) tx.run('INSERT OR IGNORE INTO refs VALUES (?, ?, ?)', accountId, id, thread)
  return thread
}
