/**
 * Marks those of some emails that are among rows found. Rows mostly ascend, too; then each is near the one before it.
 *
 * @param emails Ascending, perhaps with some of them twice.
 * @param marks Of each of them; the outcome is added to it.
 * @param base Row id of the account's email 0.
 * @returns Rows that are of these emails.
 */
export function markEmails(
  emails: Float64Array,
  marks: Uint8Array,
  rows: readonly number[],
  base: number,
  outcome: number,
): readonly number[] {
  const asked: number[] = []
  let i = 0
  for (const row of rows) {
    const email = row - base
    if (i > 0 && emails[i - 1]! >= email) i = lowerBound(emails, email)
    else if (emails[i]! < email) i = lowerBound(emails, email, i + 1)
    if (emails[i] !== email) continue
    asked.push(row)
    for (; i < emails.length && emails[i] === email; i++) marks[i]! |= outcome
  }
  return asked
}

/** First place of a number that is at least this one. Looks near `low` first. */
function lowerBound(ids: Float64Array, wanted: number, low = 0): number {
  const end = ids.length
  let high = low
  for (let stride = 1; high < end && ids[high]! < wanted; stride *= 2) {
    low = high + 1
    high += stride
  }
  high = Math.min(high, end)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ids[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
