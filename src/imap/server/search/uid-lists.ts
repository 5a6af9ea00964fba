/** All of two ascending lists, ascending. */
export function mergeUids(a: readonly number[], b: readonly number[]): number[] {
  const merged: number[] = []
  let i = 0
  for (const uid of a) {
    while (i < b.length && b[i]! < uid) merged.push(b[i++]!)
    merged.push(uid)
  }
  while (i < b.length) merged.push(b[i++]!)
  return merged
}

/** Those of an ascending list that another one does not have. */
export function withoutUids(all: readonly number[], gone: readonly number[]): number[] {
  const left: number[] = []
  let i = 0
  for (const uid of all) {
    while (i < gone.length && gone[i]! < uid) i++
    if (gone[i] !== uid) left.push(uid)
  }
  return left
}
