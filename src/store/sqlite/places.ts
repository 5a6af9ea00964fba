import { removeBlob } from './remove-blob.ts'
import type { Transaction } from './transaction.ts'

/**
 * Notes further messages that show an email. A place stays in the list until its garbage is swept: who reads the list
 * asks whether the message is still there.
 *
 * @param places As in the table.
 */
export function addPlaces(tx: Transaction, email: number, places: string): void {
  tx.run("UPDATE email SET places = places || ' ' || ? WHERE email = ?", places, email)
}

/** The email goes with the last message that showed it, and its body with it. */
export function removePlace(tx: Transaction, email: number, place: string): void {
  const row = tx.get('SELECT places, blob FROM email WHERE email = ?', email)
  if (row === undefined) return
  const left = (row[0] as string).split(' ').filter((other) => other !== place)
  if (left.length > 0) {
    tx.run('UPDATE email SET places = ? WHERE email = ?', left.join(' '), email)
    return
  }
  tx.run('DELETE FROM email WHERE email = ?', email)
  removeBlob(tx, row[1] as number)
}
