import { separator, wordChar } from './char-classes.ts'

/** A piece of a needle without separators, of one class. */
export interface Run {
  readonly kind: 'word' | 'gram'
  readonly text: string
  /** The run begins where the needle does: in a text, more of the same class may stand before it. */
  readonly openStart: boolean
  readonly openEnd: boolean
}

/** @param folded By `foldText`. */
export function runsOf(folded: string, classes: Uint8Array): Run[] {
  const runs: Run[] = []
  let start = 0
  while (start < folded.length) {
    const kind = classes[folded.charCodeAt(start)]!
    let end = start + 1
    while (end < folded.length && classes[folded.charCodeAt(end)] === kind) end++
    if (kind !== separator) {
      runs.push({
        kind: kind === wordChar ? 'word' : 'gram',
        text: folded.slice(start, end),
        openStart: start === 0,
        openEnd: end === folded.length,
      })
    }
    start = end
  }
  return runs
}

/** Words over this are found by their trigrams. */
const wordUnitsMax = 24
/** So are words with digits in them from this length on: numbers of orders, keys, signatures; hardly one comes twice. */
const numberUnitsMin = 6

/**
 * Whether a word is kept as its trigrams and not as itself: as itself it would lengthen the list of all words, which is
 * in memory, for little.
 */
export function isOpaque(units: number, hasDigit: boolean): boolean {
  return units > wordUnitsMax || (hasDigit && units >= numberUnitsMin)
}
