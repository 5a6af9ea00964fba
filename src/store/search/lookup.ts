/**
 * Asks the index about one criterion. Some messages match for certain, some may; all others do not. A needle that is one
 * run of letters is answered for certain, as far as it stands in words of the vocabulary: a word that holds it is in the
 * message, so it is. A needle of several runs ("free software") gives messages with all the runs, wherever they stand.
 */
import { foldText } from '../../message/fold-text.ts'
import { envelopeFields } from '../../message/stored-envelope.ts'
import type { SearchCriterion } from '../search.ts'
import type { IndexFile } from './index-file.ts'
import type { OpaqueScope } from './open-block.ts'
import { type RunTerms, termsOf } from './run-terms.ts'
import { runsOf, type Run } from './runs.ts'
import { inBody, inHeader } from './places.ts'
import { nameOctet, type Scope, termOfWord } from './scopes.ts'

/** Words that may hold a needle. With more (all the words with an "e") the commonest are asked about. */
const wordsMax = 4_000
/** The same for one of several runs of a needle: the others say enough. */
const wordsOfRunMax = 300
/** Terms of one expression: for each row that it finds, FTS5 looks at all of them. */
const termsAtOnce = 16
/** Words that are asked about when there are too many. */
const commonWords = 64
/** So many messages are looked into sooner than the index is asked to leave out some of them. */
const fewRows = 400

/** Messages that match for certain, or may. */
export interface Answer {
  /** Row ids, ascending. */
  readonly rows: Float64Array
  /** Bits of places.ts: where the needle may be. Null: they match. */
  readonly where: number | null
}

/** A needle as it is compared. */
export function foldNeedle(needle: string): string {
  return foldText(needle.replaceAll('\r\n', '\n'))
}

export class Lookup {
  readonly #index: IndexFile
  readonly #classes: Uint8Array
  readonly #ids: Float64Array
  readonly #first: number
  readonly #last: number

  /**
   * @param ids Emails asked about, ascending, at least one.
   * @param first Row ids asked about.
   */
  constructor(index: IndexFile, classes: Uint8Array, ids: Float64Array, first: number, last: number) {
    this.#index = index
    this.#classes = classes
    this.#ids = ids
    this.#first = first
    this.#last = last
  }

  /** Yields where others might have their turn. @returns Null when the index cannot help. */
  *ask(criterion: SearchCriterion): Generator<void, readonly Answer[] | null> {
    if (criterion.field === 'sent') return null
    const runs = runsOf(foldNeedle(criterion.needle), this.#classes)
    if (criterion.field !== 'header') {
      const body = yield* this.#inScope(runs, 'body')
      if (criterion.field === 'body' || body === null) return body
      const header = yield* this.#inScope(runs, 'header')
      return header === null ? null : [...header, ...body]
    }
    const name = criterion.name.toUpperCase()
    if (envelopeFields.includes(name)) {
      // '' asks whether ENVELOPE has the field, which a field that cannot be read does not bring about.
      return criterion.needle === ''
        ? this.#withField(name, inHeader)
        : yield* this.#inScope(runs, name as Scope)
    }
    if (criterion.needle === '') return this.#withField(name, null)
    return this.#inField(name, yield* this.#inScope(runs, 'header'))
  }

  *#inScope(runs: readonly Run[], scope: Scope): Generator<void, readonly Answer[] | null> {
    const [first] = runs
    if (first === undefined) return null
    if (runs.length > 1 || !first.openStart || !first.openEnd) return yield* this.#severalRuns(runs, scope)
    const { words, all, grams, opaque, vague } = termsOf(this.#index.vocabulary, first, scope, wordsMax)
    if (!all || vague) return yield* this.#mostly(words, scope)
    const answers = yield* this.#withWords(words)
    // A pair of neighbours is a text of two, a trigram one of three; of longer texts they are only parts.
    const where = scope === 'body' ? inBody : inHeader
    const units = first.text.length
    answers.push({ rows: this.#find(grams.join(' AND ')), where: units <= 2 ? null : where })
    if (opaque !== null) {
      const rows = yield* this.#inBlocks(scope as OpaqueScope, opaque)
      answers.push({ rows, where: units <= 3 ? null : where })
    }
    return answers
  }

  /** The first words to come were the commonest: most messages hold one of them. The others are looked into. */
  *#mostly(words: readonly number[], scope: Scope): Generator<void, readonly Answer[]> {
    const base = this.#first - this.#ids[0]!
    const rows = this.#ids.map((id) => base + id)
    const where = scope === 'body' ? inBody : inHeader
    return [{ rows, where }, ...(yield* this.#withWords(words.slice(0, commonWords)))]
  }

  *#withWords(words: readonly number[]): Generator<void, Answer[]> {
    const answers: Answer[] = []
    for (let at = 0; at < words.length; at += termsAtOnce) {
      const some = words.slice(at, at + termsAtOnce)
      answers.push({ rows: this.#find(some.map(termOfWord).join(' OR ')), where: null })
      yield
    }
    return answers
  }

  *#severalRuns(runs: readonly Run[], scope: Scope): Generator<void, readonly Answer[] | null> {
    const where = scope === 'body' ? inBody : inHeader
    const { vocabulary } = this.#index
    const telling = runs
      .map((run) => termsOf(vocabulary, run, scope, wordsOfRunMax))
      .filter(({ all, vague }) => all && !vague)
    if (telling.length === 0) return null
    const clauses = telling.map(clauseOf)
    const everywhere = this.#find(clauses.join(' AND '))
    yield
    const opaque: Float64Array[] = []
    for (const terms of telling)
      opaque.push(terms.opaque === null ? none : yield* this.#inBlocks(scope as OpaqueScope, terms.opaque))
    if (opaque.every((rows) => rows.length === 0)) return [{ rows: everywhere, where }]
    let some = new Set(opaque.flatMap((rows) => [...rows]))
    for (const [i, clause] of clauses.entries()) {
      if (some.size <= fewRows) break
      some = some.intersection(new Set([...this.#find(clause), ...opaque[i]!]))
      yield
    }
    return [
      { rows: everywhere, where },
      { rows: Float64Array.from(some).sort(), where },
    ]
  }

  /** Messages among whose opaque words some hold all trigrams that are looked at. */
  *#inBlocks(scope: OpaqueScope, text: string): Generator<void, Float64Array> {
    const found: number[] = []
    for (const block of this.#index.blocksOf(this.#ids)) {
      for (const row of block.holding(scope, text))
        if (row >= this.#first && row <= this.#last) found.push(row)
      yield
    }
    return Float64Array.from(found).sort()
  }

  #inField(name: string, answers: readonly Answer[] | null): readonly Answer[] {
    if (answers === null) return this.#withField(name, inHeader)
    const candidates = answers.map(({ rows }) => ({ rows, where: inHeader }))
    if (candidates.reduce((sum, { rows }) => sum + rows.length, 0) <= fewRows) return candidates
    const named = new Set(this.#withField(name, null).flatMap(({ rows }) => [...rows]))
    return candidates.map(({ rows, where }) => ({ rows: rows.filter((row) => named.has(row)), where }))
  }

  #withField(name: string, where: number | null): readonly Answer[] {
    const id = this.#index.vocabulary.find(nameOctet, name)
    return id === 0 ? [] : [{ rows: this.#find(termOfWord(id)), where }]
  }

  #find(expression: string): Float64Array {
    return this.#index.find(expression, this.#first, this.#last)
  }
}

const none = new Float64Array(0)

/** An expression for the messages that hold a run, opaque words left aside. */
function clauseOf({ words, grams }: RunTerms): string {
  return `(${[...words.map(termOfWord), `(${grams.join(' AND ')})`].join(' OR ')})`
}
