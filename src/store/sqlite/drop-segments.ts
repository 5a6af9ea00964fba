import { segmentName } from './segment-name.ts'
import type { Transaction } from './transaction.ts'

/**
 * Forgets segments in which no body is alive, and removes their files. Usual for mail that only passed through. A sealed
 * segment gets no new rows, so one that had none when the caller looked has none now. The newest stays: it says how far
 * the tables know what was written.
 *
 * @returns How many.
 */
export function dropSegments(tx: Transaction, call: { readonly segments: readonly number[] }): number {
  let dropped = 0
  const newest = tx.get('SELECT max(segment) FROM segment WHERE segment > 0')?.[0]
  for (const segment of call.segments) {
    if (segment === newest) continue
    if (tx.run('DELETE FROM segment WHERE segment = ? AND sealed = 1', segment) === 0) continue
    tx.unneededFiles.push(segmentName(segment))
    dropped++
  }
  return dropped
}
