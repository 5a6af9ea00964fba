/**
 * Asks the index about one criterion. Some messages match for certain, some may; all others do not. A needle that is one
 * run of letters is answered for certain, as far as it stands in words of the vocabulary: a word that holds it is in the
 * message, so it is. A needle of several runs ("free software") gives messages with all the runs, wherever they stand.
 */
import { foldText } from '../../message/fold-text.ts'
import { envelopeFields } from '../../message/stored-envelope.ts'
import type { SearchCriterion } from '../search.ts'
import type { AskedBlock } from './blocks.ts'
import { keyOfWord } from './keys.ts'
import { inBody, inHeader } from './places.ts'
import { termsOf, type Way } from './run-terms.ts'
import { runsOf, type Run } from './runs.ts'
import { nameOctet, type Scope } from './scopes.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Words that may hold a needle. With more (all the words with an "e") the commonest are asked about. */
const wordsMax = 4_000
/** The same for one of several runs of a needle: the others say enough. */
const wordsOfRunMax = 300
/** Words that are asked about when there are too many. */
const commonWords = 64
/** To look into a message takes as long as to read so many pieces of the index. */
const piecesPerMessage = 8

/** Messages that match for certain, or may. */
export interface Answer {
  /** Row ids. Some may be of messages that were not asked about. */
  readonly rows: readonly number[]
  /** Bits of places.ts: where the needle may be. Null: they match. */
  readonly where: number | null
}

interface Question {
  /** Of each of these a message must have all that one of the ways asks for. */
  readonly clauses: readonly (readonly Way[])[]
  /** Of the answer. */
  readonly where: number | null
}

/** A needle as it is compared. */
export function foldNeedle(needle: string): string {
  return foldText(needle.replaceAll('\r\n', '\n'))
}

export class Lookup {
  readonly #vocabulary: Vocabulary
  readonly #classes: Uint8Array
  readonly #blocks: readonly AskedBlock[]
  readonly #first: number
  readonly #last: number

  /**
   * @param blocks With the messages that are asked about.
   * @param first Row ids asked about are from this one to the last.
   */
  constructor(
    vocabulary: Vocabulary,
    classes: Uint8Array,
    blocks: readonly AskedBlock[],
    first: number,
    last: number,
  ) {
    this.#vocabulary = vocabulary
    this.#classes = classes
    this.#blocks = blocks
    this.#first = first
    this.#last = last
  }

  /** Yields where others might have their turn. @returns Null when the index cannot help. */
  *ask(criterion: SearchCriterion): Generator<void, readonly Answer[] | null> {
    if (criterion.field === 'sent') return null
    const runs = runsOf(foldNeedle(criterion.needle), this.#classes)
    if (criterion.field !== 'header') {
      const body = this.#questions(runs, 'body')
      if (body === null) return null
      const header = criterion.field === 'body' ? [] : this.#questions(runs, 'header')
      return header === null ? null : yield* this.#answer([...header, ...body], inHeader | inBody)
    }
    const name = criterion.name.toUpperCase()
    const named = this.#named(name)
    const isKnown = envelopeFields.includes(name)
    // '' asks whether ENVELOPE has the field, which a field that cannot be read does not bring about.
    if (criterion.needle === '')
      return yield* this.#answer([{ clauses: [named], where: isKnown ? inHeader : null }], inHeader)
    const questions = this.#questions(runs, isKnown ? (name as Scope) : 'header')
    if (isKnown) return questions === null ? null : yield* this.#answer(questions, inHeader)
    const inField = (questions ?? [everything(inHeader)]).map(({ clauses }) => ({
      ...{ clauses: [named, ...clauses], where: inHeader },
    }))
    return yield* this.#answer(inField, inHeader)
  }

  #questions(runs: readonly Run[], scope: Scope): readonly Question[] | null {
    const [first] = runs
    if (first === undefined) return null
    const where = scope === 'body' ? inBody : inHeader
    if (runs.length > 1 || !first.openStart || !first.openEnd) return this.#severalRuns(runs, scope, where)
    const { words, all, grams, opaque, vague } = termsOf(this.#vocabulary, first, scope, wordsMax)
    // The first words to come were the commonest: most messages hold one of them. The others are looked into.
    if (!all || vague) return [everything(where), { clauses: [[[words.slice(0, commonWords)]]], where: null }]
    // A pair of neighbours is a text of two, a trigram one of three; of longer texts they are only parts.
    const units = first.text.length
    return [
      { clauses: [[[words]]], where: null },
      { clauses: [[grams]], where: units <= 2 ? null : where },
      ...(opaque === null ? [] : [{ clauses: [[opaque]], where: units <= 3 ? null : where }]),
    ]
  }

  #severalRuns(runs: readonly Run[], scope: Scope, where: number): readonly Question[] | null {
    const clauses = runs
      .map((run) => termsOf(this.#vocabulary, run, scope, wordsOfRunMax))
      .filter(({ all, vague }) => all && !vague)
      .map(({ words, grams, opaque }) => [[words], grams, ...(opaque === null ? [] : [opaque])])
    return clauses.length === 0 ? null : [{ clauses, where }]
  }

  /** Messages with a field of this name. */
  #named(name: string): readonly Way[] {
    const number = this.#vocabulary.find(nameOctet, name)
    return [[number < 0 ? [] : [keyOfWord(number)]]]
  }

  /** @param anywhere Where the needles of these questions may be. */
  *#answer(questions: readonly Question[], anywhere: number): Generator<void, readonly Answer[]> {
    const asked = questions.filter(({ clauses }) => clauses.every((clause) => clause.some(isPossible)))
    const found = asked.map((): number[] => [])
    const unasked: number[] = []
    const lists = asked.flatMap(({ clauses }) => clauses.flat(2))
    for (const block of this.#blocks) {
      let pieces = 0
      for (const keys of lists) pieces += block.piecesFor(keys)
      if (pieces > block.asked.length * piecesPerMessage) unasked.push(...block.asked)
      else
        for (const [i, { clauses }] of asked.entries())
          if (clauses.length === 0) found[i]!.push(...block.asked)
          else this.#take(block, placesOf(block, clauses), found[i]!)
      yield
    }
    return [...asked.map(({ where }, i) => ({ rows: found[i]!, where })), { rows: unasked, where: anywhere }]
  }

  #take({ rows }: AskedBlock, places: Uint8Array | null, found: number[]): void {
    if (places === null) return
    for (let place = places.indexOf(1); place >= 0; place = places.indexOf(1, place + 1)) {
      const row = rows[place]!
      if (row >= this.#first && row <= this.#last) found.push(row)
    }
  }
}

/** All messages may match. */
function everything(where: number): Question {
  return { clauses: [], where }
}

function isPossible(way: Way): boolean {
  return way.every((keys) => keys.length > 0)
}

/** Marks those with which all clauses hold; null: none. */
function placesOf(block: AskedBlock, clauses: Question['clauses']): Uint8Array | null {
  return together(clauses, (clause) => {
    const either = new Uint8Array(block.size)
    for (const way of clause.filter(isPossible)) {
      const places = together(way, (keys) => {
        const some = new Uint8Array(block.size)
        block.find(keys, some)
        return some
      })
      if (places !== null) for (let i = 0; i < either.length; i++) either[i]! |= places[i]!
    }
    return either
  })
}

/** What all of them mark; null as soon as it is nothing. */
function together<T>(all: readonly T[], mark: (one: T) => Uint8Array): Uint8Array | null {
  let both: Uint8Array | null = null
  for (const one of all) {
    const places = mark(one)
    if (both !== null) for (let i = 0; i < places.length; i++) places[i]! &= both[i]!
    if (!places.includes(1)) return null
    both = places
  }
  return both
}
