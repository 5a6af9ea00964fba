import { gramChar, separator } from './char-classes.ts'

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
  const kindAt = (at: number): Run['kind'] | null => {
    const kind = classes[folded.charCodeAt(at)]
    return kind === separator ? null : kind === gramChar ? 'gram' : 'word'
  }
  let start = 0
  while (start < folded.length) {
    const kind = kindAt(start)
    let end = start + 1
    while (end < folded.length && kindAt(end) === kind) end++
    if (kind !== null) {
      runs.push({
        kind,
        text: folded.slice(start, end),
        openStart: start === 0,
        openEnd: end === folded.length,
      })
    }
    start = end
  }
  return runs
}

/** Units of a word of the vocabulary. */
const wordUnitsMax = 24
/** Words with digits in them are opaque from this length on: numbers, keys, signatures; hardly one comes twice. */
const opaqueUnitsMin = 6

/** How a word is kept: as itself; when it is opaque, by its trigrams; or, not being ASCII and long, by pairs of characters. */
export type WordForm = 'word' | 'opaque' | 'grams'

export function formOf(units: number, ascii: boolean, hasDigit: boolean): WordForm {
  if (units > wordUnitsMax) return ascii ? 'opaque' : 'grams'
  return ascii && hasDigit && units >= opaqueUnitsMin ? 'opaque' : 'word'
}
