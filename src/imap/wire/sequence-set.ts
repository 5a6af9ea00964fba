import { bad } from './refusal.ts'

/** Stands for `*`, the highest number in use, RFC 3501 §9 (seq-number). */
export const star = Number.POSITIVE_INFINITY

/** One range as written: `first` may be the larger one, and either may be `star`. */
export interface SequenceRange {
  readonly first: number
  readonly last: number
}

export type SequenceSet = readonly SequenceRange[]

/** A number of a message or UID: 1 to 2^32 - 1. */
const numberPattern = /^[1-9][0-9]{0,9}$/
const largest = 4_294_967_295

/**
 * Reads sequence-set = (seq-number / seq-range) *("," sequence-set), RFC 3501 §9.
 *
 * @param maxRanges Bound on the ranges of one set; commas are cheap to send.
 * @throws {Refusal} BAD.
 */
export function parseSequenceSet(text: string, maxRanges: number): SequenceSet {
  const ranges: SequenceRange[] = []
  for (let start = 0; start <= text.length; ) {
    if (ranges.length === maxRanges) throw bad(`Cannot read sequence set: more than ${maxRanges} ranges`)
    const comma = text.indexOf(',', start)
    const end = comma < 0 ? text.length : comma
    const colon = text.indexOf(':', start)
    if (colon < 0 || colon > end) {
      const number = parseSequenceNumber(text.slice(start, end))
      ranges.push({ first: number, last: number })
    } else {
      ranges.push({
        first: parseSequenceNumber(text.slice(start, colon)),
        last: parseSequenceNumber(text.slice(colon + 1, end)),
      })
    }
    start = end + 1
  }
  return ranges
}

function parseSequenceNumber(text: string): number {
  if (text === '*') return star
  const number = numberPattern.test(text) ? Number(text) : 0
  if (number === 0 || number > largest) throw bad('Cannot read sequence set: expected numbers, ranges or *')
  return number
}

/**
 * The numbers a set names, as ascending ranges that neither touch nor overlap: a message named twice is one message.
 *
 * @param highest What `*` means; RFC 3501 §9: the number of the last message, or its UID.
 */
export function normaliseSequenceSet(set: SequenceSet, highest: number): { first: number; last: number }[] {
  const sorted = set
    .map(({ first, last }) => {
      const a = first === star ? highest : first
      const b = last === star ? highest : last
      // RFC 3501 §9: "2:4 and 4:2 are equivalent".
      return { first: Math.min(a, b), last: Math.max(a, b) }
    })
    .sort((a, b) => a.first - b.first)
  const merged: { first: number; last: number }[] = []
  for (const range of sorted) {
    const previous = merged.at(-1)
    if (previous !== undefined && range.first <= previous.last + 1) {
      previous.last = Math.max(previous.last, range.last)
    } else {
      merged.push(range)
    }
  }
  return merged
}

/**
 * Writes ascending numbers as a set, runs as ranges: `2,4:7,9`.
 *
 * @param numbers At least one.
 */
export function formatSequenceSet(numbers: ArrayLike<number>): string {
  const parts: string[] = []
  for (let i = 0; i < numbers.length; ) {
    const first = numbers[i]!
    let last = first
    while (++i < numbers.length && numbers[i] === last + 1) last++
    parts.push(first === last ? `${first}` : `${first}:${last}`)
  }
  return parts.join(',')
}
