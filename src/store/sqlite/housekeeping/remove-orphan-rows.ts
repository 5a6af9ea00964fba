import { removeBlob } from '../remove-blob.ts'
import type { Transaction } from '../transaction.ts'

export interface OrphanRows {
  /** Emails that no message, tombstone or garbage row shows. */
  readonly emails: readonly number[]
  /** Bodies that no email and no queue row owns. */
  readonly blobs: readonly number[]
}

/** Nothing can begin to refer to such a row: emails are shown anew from where they are shown, and bodies have one owner. */
export function removeOrphanRows(tx: Transaction, { emails, blobs }: OrphanRows): void {
  for (const email of emails) {
    const row = tx.get('DELETE FROM email WHERE email = ? RETURNING blob', email)
    if (row !== undefined) removeBlob(tx, row[0] as number)
  }
  for (const blob of blobs) removeBlob(tx, blob)
}
