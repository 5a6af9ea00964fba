import type { Transaction } from './transaction.ts'

/** Forgets a body's row; its octets go when their segment is swept, or at once when it was the last row of a file. */
export function removeBlob(tx: Transaction, blob: number): void {
  const row = tx.get('DELETE FROM blob WHERE blob = ? RETURNING file, stored', blob)
  const file = row?.[0]
  tx.freedOctets += (row?.[1] as number | undefined) ?? 0
  if (typeof file !== 'string') return
  if (tx.get('SELECT 1 FROM blob WHERE file = ? LIMIT 1', file) === undefined)
    tx.unneededFiles.push(`big/${file}`)
}
