/** What the housekeeping writes down for itself. */
import type { Transaction } from '../transaction.ts'

export interface SeenThere {
  readonly accountId: number
  readonly mailboxId: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly uidNext: number
  /** Notes of this mailbox before this time are not needed any more. */
  readonly forgetBefore: number
}

/** Notes how far the UIDs of mailboxes had come at some time. */
export function noteSeenThere(tx: Transaction, call: { readonly notes: readonly SeenThere[] }): void {
  for (const { accountId, mailboxId, at, uidNext, forgetBefore } of call.notes) {
    tx.run('INSERT OR IGNORE INTO seen_there VALUES (?, ?, ?, ?)', accountId, mailboxId, at, uidNext)
    tx.run(
      'DELETE FROM seen_there WHERE account = ? AND mailbox = ? AND at < ?',
      accountId,
      mailboxId,
      forgetBefore,
    )
  }
}

/** `marked`: when mark.ts ran last; `packed`: how many packed segments there have been. */
export type NotedNumber = 'marked' | 'packed'

export function noteNumber(
  tx: Transaction,
  call: { readonly name: NotedNumber; readonly value: number },
): void {
  tx.run('INSERT OR REPLACE INTO counter VALUES (?, ?)', call.name, call.value)
}
