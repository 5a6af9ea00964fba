/** What the index has to be asked about one run of a needle. */
import { formOf, type Run } from './runs.ts'
import { octetOf, type Scope, termOfGram } from './scopes.ts'
import type { Vocabulary } from './vocabulary.ts'

export interface RunTerms {
  /** Words of the vocabulary that hold it, `wordsMax` at most. */
  readonly words: readonly number[]
  /** These are all. */
  readonly all: boolean
  /** Terms that all are in a message which holds it in a long word, or in text without spaces; none if it cannot be. */
  readonly grams: readonly string[]
  /** To be looked for among opaque words; null if none can hold it. */
  readonly opaque: string | null
  /** It may be in an opaque word, and is too short to be looked for there. */
  readonly vague: boolean
}

export function termsOf(vocabulary: Vocabulary, run: Run, scope: Scope, wordsMax: number): RunTerms {
  const grams = gramTerms(run.text, scope)
  if (run.kind === 'gram') return { words: [], all: true, grams, opaque: null, vague: false }
  const ends = { start: !run.openStart, end: !run.openEnd }
  const { numbers: words, all } = vocabulary.holding(run.text, octetOf(scope), ends, wordsMax)
  const opaque = mayBeOpaque(run, scope)
  const short = run.text.length < 2
  return { words, all, grams, opaque: opaque && !short ? run.text : null, vague: opaque && short }
}

function mayBeOpaque({ text, openStart, openEnd }: Run, scope: Scope): boolean {
  if ((scope !== 'header' && scope !== 'body') || /[^A-Z0-9]/.test(text)) return false
  return openStart || openEnd || formOf(text.length, true, /[0-9]/.test(text)) === 'opaque'
}

function gramTerms(text: string, scope: Scope): string[] {
  if (text.length === 1) return [termOfGram(scope, text.charCodeAt(0), null)]
  const terms = new Set<string>()
  for (let at = 0; at + 1 < text.length; at++)
    terms.add(termOfGram(scope, text.charCodeAt(at), text.charCodeAt(at + 1)))
  return [...terms]
}
