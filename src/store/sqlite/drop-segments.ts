import { segmentName } from './segments.ts'
import type { Transaction } from './transaction.ts'

/**
 * Forgets segments in which no body is alive, and removes their files. Usual for mail that only passed through. A sealed
 * segment gets no new rows, so one that had none when the caller looked has none now.
 */
export function dropSegments(tx: Transaction, call: { readonly segments: readonly number[] }): void {
  for (const segment of call.segments) {
    if (tx.run('DELETE FROM segment WHERE segment = ? AND sealed = 1', segment) === 0) continue
    tx.unneededFiles.push(segmentName(segment))
  }
}
