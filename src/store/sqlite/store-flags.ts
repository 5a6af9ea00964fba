/**
 * Changes flags and keywords of messages of one mailbox. A message that already has them keeps its MODSEQ: nothing
 * happened to it, RFC 7162 §3.1.
 */
import type { FlagChange, FlagsStored } from '../store.ts'
import { flagBits } from '../store.ts'
import { keywordBits } from './keywords.ts'
import { requireMailbox } from './mailbox-row.ts'
import type { Transaction } from './transaction.ts'
import type { UidSpan } from './uid-spans.ts'
import { uidSpans } from './uid-spans.ts'

const seen = flagBits['\\Seen']
const allFlags = 0xff
const allKeywords = 0xffffffff

/** new = (old & keep) | put */
interface Masks {
  readonly keep: number
  readonly put: number
  readonly keepKeywords: number
  readonly putKeywords: number
}

export interface StoreFlagsCall {
  readonly accountId: number
  readonly mailboxId: number
  readonly uids: ArrayLike<number>
  readonly change: FlagChange
}

export function storeFlags(tx: Transaction, call: StoreFlagsCall): FlagsStored {
  const { accountId, mailboxId, change } = call
  const mailbox = requireMailbox(tx, accountId, mailboxId)
  const keywords = keywordBits(tx, accountId, mailboxId, change.keywords, 'refuse')
  const masks = masksOf(change, keywords.bits)
  const unchangedSince = change.unchangedSince ?? Number.MAX_SAFE_INTEGER
  const modseq = tx.nextNumber(accountId)
  const changed = { uids: [] as number[], flags: [] as number[], keywords: [] as number[] }
  const modified: number[] = []
  let unseen = 0
  for (const span of uidSpans(call.uids)) {
    const rows = tx.all<readonly [number, number, number, number]>(
      `SELECT uid, flags, keywords, modseq FROM message
        WHERE account = ? AND mailbox = ? AND ${span.where} ORDER BY uid`,
      ...[accountId, mailboxId, ...span.values],
    )
    let here = 0
    for (const [uid, flags, bits, rowModseq] of rows) {
      if (rowModseq > unchangedSince) {
        modified.push(uid)
        continue
      }
      const newFlags = (flags & masks.keep) | masks.put
      const newBits = ((bits & masks.keepKeywords) | masks.putKeywords) >>> 0
      if (newFlags === flags && newBits === bits) continue
      here++
      unseen += (flags & seen) - (newFlags & seen)
      changed.uids.push(uid)
      changed.flags.push(newFlags)
      changed.keywords.push(newBits)
    }
    if (here > 0) update(tx, call, modseq, masks, unchangedSince, span)
  }
  if (changed.uids.length === 0 && keywords.names === null) {
    return { modseq: mailbox.highestModseq, modified }
  }
  tx.run(
    'UPDATE mailbox SET highestmodseq = ?, unseen = unseen + ? WHERE account = ? AND mailbox = ?',
    modseq,
    unseen,
    accountId,
    mailboxId,
  )
  tx.deltas.push({ kind: 'flags', accountId, mailboxId, modseq, ...changed, keywordNames: keywords.names })
  return { modseq, modified }
}

function masksOf(change: FlagChange, keywords: number): Masks {
  const put = change.flags & allFlags
  if (change.op === 'set') return { keep: 0, put, keepKeywords: 0, putKeywords: keywords }
  if (change.op === 'add') return { keep: allFlags, put, keepKeywords: allKeywords, putKeywords: keywords }
  return { keep: allFlags & ~put, put: 0, keepKeywords: ~keywords >>> 0, putKeywords: 0 }
}

/** The same condition as the loop over the rows, so that exactly those change. */
function update(
  tx: Transaction,
  call: StoreFlagsCall,
  modseq: number,
  masks: Masks,
  unchangedSince: number,
  span: UidSpan,
): void {
  tx.run(
    `UPDATE message SET modseq = ?1, flags = (flags & ?2) | ?3, keywords = (keywords & ?4) | ?5
      WHERE account = ?6 AND mailbox = ?7 AND modseq <= ?8
        AND (((flags & ?2) | ?3) <> flags OR ((keywords & ?4) | ?5) <> keywords) AND ${span.where}`,
    ...[modseq, masks.keep, masks.put, masks.keepKeywords, masks.putKeywords],
    ...[call.accountId, call.mailboxId, unchangedSince, ...span.values],
  )
}
