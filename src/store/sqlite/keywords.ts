import { LimitReached } from '../errors.ts'
import type { Transaction } from './transaction.ts'

/** A mailbox's keywords are the bits of one number. */
export const keywordsMax = 32

export interface KeywordBits {
  readonly bits: number
  /** The mailbox's whole list when it has grown, else null. */
  readonly names: readonly string[] | null
}

const none: KeywordBits = { bits: 0, names: null }

/**
 * The bits of keywords in one mailbox, in which they may be new. Case does not tell them apart, RFC 9051 §2.3.2; the
 * first spelling stays.
 *
 * @param whenFull What happens to one that has no bit left: mail that arrives is worth more than its keyword.
 * @throws {LimitReached} Only with `refuse`.
 */
export function keywordBits(
  tx: Transaction,
  accountId: number,
  mailboxId: number,
  keywords: readonly string[],
  whenFull: 'refuse' | 'leave-out',
): KeywordBits {
  if (keywords.length === 0) return none
  const names = keywordNames(tx, accountId, mailboxId)
  const known = new Map(names.map((name, bit) => [name.toLowerCase(), bit]))
  const before = names.length
  let bits = 0
  for (const keyword of keywords) {
    let bit = known.get(keyword.toLowerCase())
    if (bit === undefined) {
      if (names.length >= keywordsMax) {
        if (whenFull === 'leave-out') continue
        throw new LimitReached(`a mailbox holds ${keywordsMax} different keywords`)
      }
      bit = names.length
      names.push(keyword)
      known.set(keyword.toLowerCase(), bit)
      tx.run('INSERT INTO keyword VALUES (?, ?, ?, ?)', accountId, mailboxId, bit, keyword)
    }
    bits |= 1 << bit
  }
  return { bits: bits >>> 0, names: names.length > before ? names : null }
}

/** In the order of their bits. */
export function keywordNames(tx: Transaction, accountId: number, mailboxId: number): string[] {
  return tx
    .all('SELECT name FROM keyword WHERE account = ? AND mailbox = ? ORDER BY bit', accountId, mailboxId)
    .map((row) => row[0] as string)
}
