import type { Transaction } from '../transaction.ts'

const rowsAtOnce = 2_000

export interface TrimCall {
  readonly accountId: number
  readonly mailboxId: number
  /** What was expunged up to this MODSEQ is forgotten. */
  readonly upTo: number
}

/** Forgets some of the oldest expunged UIDs of a mailbox, and notes that it did. @returns How many; 0 when none is left. */
export function trimHistory(tx: Transaction, { accountId, mailboxId, upTo }: TrimCall): number {
  const deleted = tx.run(
    `DELETE FROM expunged WHERE account = ?1 AND mailbox = ?2 AND (modseq, uid) IN
      (SELECT modseq, uid FROM expunged WHERE account = ?1 AND mailbox = ?2 AND modseq <= ?3
        ORDER BY modseq, uid LIMIT ${rowsAtOnce})`,
    accountId,
    mailboxId,
    upTo,
  )
  // Noted with the first of them: a page of history must never look whole when some of it has gone.
  if (deleted > 0) {
    tx.run(
      `INSERT INTO forgotten VALUES (?, ?, ?)
        ON CONFLICT (account, mailbox) DO UPDATE SET modseq = max(modseq, excluded.modseq)`,
      accountId,
      mailboxId,
      upTo,
    )
  }
  return deleted
}
