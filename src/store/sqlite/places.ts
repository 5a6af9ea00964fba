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
