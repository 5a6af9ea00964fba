/** Searching in ascending columns of numbers. */

/** The first index whose value is at least `value`; `length` when there is none. */
export function lowerBound(column: ArrayLike<number>, length: number, value: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (column[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
