/** What the index has to be asked about one run of a needle. */
import { keyOfGram, keyOfTrigram, keyOfWord, type OpaqueScope } from './keys.ts'
import { formOf, type Run } from './runs.ts'
import { octetOf, type Scope } from './scopes.ts'
import { trigramAt, trigramsOfPair } from './trigrams.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Trigrams of a text that are looked for; reading the message says the rest. */
const trigramsLookedFor = 3

/** Of each of these lists of keys, which ascend, a message must have one. */
export type Way = readonly (readonly number[])[]

export interface RunTerms {
  /** Keys of words of the vocabulary that hold it, `wordsMax` at most. */
  readonly words: readonly number[]
  /** These are all. */
  readonly all: boolean
  /** What is in a message that holds it in a long word, or in text without spaces. */
  readonly grams: Way
  /** What is in a message that holds it in an opaque word; null if none can. */
  readonly opaque: Way | null
  /** It may be in an opaque word, and is too short to be looked for there. */
  readonly vague: boolean
}

export function termsOf(vocabulary: Vocabulary, run: Run, scope: Scope, wordsMax: number): RunTerms {
  const grams = gramsOf(run.text, octetOf(scope))
  if (run.kind === 'gram') return { words: [], all: true, grams, opaque: null, vague: false }
  const ends = { start: !run.openStart, end: !run.openEnd }
  const { numbers, all } = vocabulary.holding(run.text, octetOf(scope), ends, wordsMax)
  const opaque = mayBeOpaque(run, scope)
  const short = run.text.length < 2
  return {
    ...{ words: numbers.map(keyOfWord), all, grams },
    opaque: opaque && !short ? trigramsOf(run.text, scope as OpaqueScope) : null,
    vague: opaque && short,
  }
}

function mayBeOpaque({ text, openStart, openEnd }: Run, scope: Scope): boolean {
  if ((scope !== 'header' && scope !== 'body') || /[^A-Z0-9]/.test(text)) return false
  return openStart || openEnd || formOf(text.length, true, /[0-9]/.test(text)) === 'opaque'
}

function gramsOf(text: string, scope: number): Way {
  if (text.length === 1) return [[keyOfGram(scope, text.charCodeAt(0), null)]]
  const keys = new Set<number>()
  for (let at = 0; at + 1 < text.length; at++)
    keys.add(keyOfGram(scope, text.charCodeAt(at), text.charCodeAt(at + 1)))
  return [...keys].map((key) => [key])
}

/** Some of them. @param text Two chars at least. */
function trigramsOf(text: string, scope: OpaqueScope): Way {
  if (text.length === 2) {
    const [first, end] = trigramsOfPair(text)
    return [Array.from({ length: end - first }, (_, i) => keyOfTrigram(scope, first + i))]
  }
  const last = text.length - 3
  const places = new Set(
    Array.from({ length: trigramsLookedFor }, (_, i) => Math.round((i * last) / (trigramsLookedFor - 1))),
  )
  return [...places].map((at) => [keyOfTrigram(scope, trigramAt(text, at))])
}
