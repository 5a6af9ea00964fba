/**
 * What the index can say about one criterion: expressions whose messages match for certain, and expressions among whose
 * messages are all others that match. What is in neither does not match.
 */
import { foldText } from '../../message/fold-text.ts'
import { envelopeFields } from '../../message/stored-envelope.ts'
import type { SearchCriterion } from '../search.ts'
import { runsOf, type Run } from './runs.ts'
import { nameScope, type Scope, scopes, termOfGram, termOfWord } from './scopes.ts'
import type { Vocabulary } from './vocabulary.ts'

export interface Plan {
  readonly exact: readonly string[]
  readonly candidates: readonly string[]
}

/** Words that may hold a needle; with more, which are all the words with an "e", reading the messages is no slower. */
const wordsMax = 4_000
/** The same for one of several runs of a needle: the others say enough. */
const wordsOfRunMax = 300
/** Terms of one expression. */
const termsAtOnce = 400

export interface Words {
  readonly vocabulary: Vocabulary
  readonly classes: Uint8Array
}

/** A needle as it is compared. */
export function foldNeedle(needle: string): string {
  return foldText(needle.replaceAll('\r\n', '\n'))
}

/** @returns Null when the index cannot help. */
export function planFor(words: Words, criterion: SearchCriterion): Plan | null {
  if (criterion.field === 'sent') return null
  const runs = runsOf(foldNeedle(criterion.needle), words.classes)
  const whole = runs.length === 1 && runs[0]!.openStart && runs[0]!.openEnd
  const inScope = (scope: Scope): Plan | null =>
    runs.length === 0 ? null : whole ? planWhole(words, runs[0]!, scope) : planRuns(words, runs, scope)
  if (criterion.field !== 'header')
    return criterion.field === 'body' ? inScope('body') : union(inScope('header'), inScope('body'))
  const name = criterion.name.toUpperCase()
  if (envelopeFields.includes(name)) {
    // '' asks whether ENVELOPE has the field, which a field that cannot be read does not bring about.
    return criterion.needle === '' ? asCandidates(planName(words, name)) : inScope(name as Scope)
  }
  const named = planName(words, name)
  if (criterion.needle === '') return named
  return both(named.exact, inScope('header'))
}

/** A needle that is one run: the words that hold it, and the trigrams that make it up in longer words. */
function planWhole(words: Words, run: Run, scope: Scope): Plan | null {
  if (run.kind === 'gram') {
    const terms = gramTerms(run.text, scope)
    return terms.length === 1
      ? { exact: terms, candidates: [] }
      : { exact: [], candidates: [terms.join(' AND ')] }
  }
  const ids = holders(words, run, scope, wordsMax)
  if (ids === null) return null
  const chain = trigramChain(words, run.text, scope)
  return { exact: inChunks(ids), candidates: chain === null ? [] : [chain] }
}

/** A needle of several runs: all of them, in whatever order. */
function planRuns(words: Words, runs: readonly Run[], scope: Scope): Plan | null {
  const clauses: string[] = []
  for (const run of runs) {
    if (run.kind === 'gram') {
      clauses.push(...gramTerms(run.text, scope))
      continue
    }
    const ids = holders(words, run, scope, wordsOfRunMax)
    if (ids === null) continue
    const chain = trigramChain(words, run.text, scope)
    const alternatives = [...ids.map(termOfWord), ...(chain === null ? [] : [`(${chain})`])]
    if (alternatives.length === 0) return { exact: [], candidates: [] }
    clauses.push(alternatives.length === 1 ? alternatives[0]! : `(${alternatives.join(' OR ')})`)
  }
  return clauses.length === 0 ? null : { exact: [], candidates: [clauses.join(' AND ')] }
}

function planName({ vocabulary }: Words, name: string): Plan {
  const id = vocabulary.find(nameScope, name)
  return { exact: id < 0 ? [] : [termOfWord(id)], candidates: [] }
}

/** Words that hold a run, and short trigrams that do. Null: too many. */
function holders({ vocabulary }: Words, run: Run, scope: Scope, limit: number): number[] | null {
  const { word, trigram } = scopes[scope]
  const ends = { start: !run.openStart, end: !run.openEnd }
  const ids = vocabulary.holding(run.text, Uint8Array.of(word), ends, limit)
  if (ids === null || run.text.length > 3) return ids
  const anywhere = { start: false, end: false }
  const trigrams = vocabulary.holding(run.text, Uint8Array.of(trigram), anywhere, limit)
  return trigrams === null ? null : [...ids, ...trigrams]
}

/** Null when no long word can hold the text; a text of three units or less is found by `holders`. */
function trigramChain({ vocabulary }: Words, text: string, scope: Scope): string | null {
  const terms: string[] = []
  for (let at = 0; at + 3 <= text.length; at++) {
    const id = vocabulary.find(scopes[scope].trigram, text, at, at + 3)
    if (id < 0) return null
    terms.push(termOfWord(id))
  }
  return text.length <= 3 ? null : [...new Set(terms)].join(' AND ')
}

function gramTerms(text: string, scope: Scope): string[] {
  if (text.length === 1) return [termOfGram(scope, text.charCodeAt(0), null)]
  const terms = new Set<string>()
  for (let at = 0; at + 1 < text.length; at++)
    terms.add(termOfGram(scope, text.charCodeAt(at), text.charCodeAt(at + 1)))
  return [...terms]
}

function inChunks(ids: readonly number[]): string[] {
  const expressions: string[] = []
  for (let at = 0; at < ids.length; at += termsAtOnce)
    expressions.push(
      ids
        .slice(at, at + termsAtOnce)
        .map(termOfWord)
        .join(' OR '),
    )
  return expressions
}

function asCandidates(plan: Plan): Plan {
  return { exact: [], candidates: [...plan.exact, ...plan.candidates] }
}

function union(a: Plan | null, b: Plan | null): Plan | null {
  if (a === null || b === null) return null
  return { exact: [...a.exact, ...b.exact], candidates: [...a.candidates, ...b.candidates] }
}

/** Messages that have the field, and the text anywhere in their header. */
function both(named: readonly string[], plan: Plan | null): Plan {
  if (plan === null) return { exact: [], candidates: named }
  const texts = [...plan.exact, ...plan.candidates]
  return { exact: [], candidates: named.flatMap((name) => texts.map((text) => `${name} AND (${text})`)) }
}
