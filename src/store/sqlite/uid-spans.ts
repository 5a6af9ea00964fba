import type { Value } from './database.ts'

/** A condition on `uid`, the last one of its statement, and its values. */
export interface UidSpan {
  readonly where: string
  readonly values: readonly Value[]
}

/** Up to here each run of UIDs gets statements of its own. */
const runsMax = 16
/** UIDs of one list. */
const listMax = 500

/**
 * UIDs as conditions, so that one statement serves many of them: runs without a gap, or when there are many gaps, lists.
 * A statement for every UID would cost 16 µs each, a run 1 µs, a list 4.
 *
 * @param uids In any order, possibly repeated.
 * @returns Ascending, and without overlap.
 */
export function uidSpans(uids: ArrayLike<number>): UidSpan[] {
  const sorted = ascending(uids)
  const runs: [number, number][] = []
  for (let i = 0; i < sorted.length && runs.length <= runsMax; i++) {
    const uid = sorted[i]!
    const run = runs.at(-1)
    if (run !== undefined && uid <= run[1] + 1) run[1] = uid
    else runs.push([uid, uid])
  }
  if (runs.length <= runsMax) return runs.map((run) => ({ where: 'uid BETWEEN ? AND ?', values: run }))
  const spans: UidSpan[] = []
  for (let at = 0; at < sorted.length; at += listMax) {
    // Repeated ones are harmless: IN is a set. One that ends a list and begins the next would be found twice.
    let end = Math.min(at + listMax, sorted.length)
    while (end < sorted.length && sorted[end] === sorted[end - 1]) end++
    const list = JSON.stringify(Array.from(sorted.subarray(at, end)))
    spans.push({ where: 'uid IN (SELECT value FROM json_each(?))', values: [list] })
    at = end - listMax
  }
  return spans
}

function ascending(uids: ArrayLike<number>): Uint32Array {
  const copy = Uint32Array.from(uids)
  for (let i = 1; i < copy.length; i++) if (copy[i]! < copy[i - 1]!) return copy.sort()
  return copy
}
