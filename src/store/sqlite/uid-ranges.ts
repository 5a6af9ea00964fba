/**
 * UIDs as runs without a gap, so that one statement serves many of them.
 *
 * @param uids In any order, possibly repeated.
 * @returns Pairs of first and last, ascending.
 */
export function uidRanges(uids: readonly number[]): [number, number][] {
  const sorted = isAscending(uids) ? uids : [...uids].sort((a, b) => a - b)
  const ranges: [number, number][] = []
  let current: [number, number] | null = null
  for (const uid of sorted) {
    if (current !== null && uid <= current[1] + 1) {
      if (uid > current[1]) current[1] = uid
    } else {
      current = [uid, uid]
      ranges.push(current)
    }
  }
  return ranges
}

function isAscending(uids: readonly number[]): boolean {
  for (let i = 1; i < uids.length; i++) if (uids[i]! < uids[i - 1]!) return false
  return true
}
