/**
 * One search, in slices: others have their turn between two of them. The index says of most messages whether they match;
 * those it is not sure of, and those it does not have yet, are looked into.
 */
import { BodyUnreadable } from '../errors.ts'
import type { SearchCriterion } from '../search.ts'
import { type IndexFile, rowOf } from './index-file.ts'
import { inBody, inHeader } from './places.ts'
import { MessageTexts, type Test, testFor } from './message-texts.ts'
import { Lookup } from './lookup.ts'
import type { StoredMessages } from './stored-messages.ts'

/** States of a message: one of its texts may hold the needle, in one of these places; or it matches; 0: it does not. */
const yes = 128
const anywhere = inHeader | inBody

/** So few messages are looked into without asking the index. */
export const fewMessages = 8
/** Of a slice. */
const sliceMs = 8

export interface SearchAsked {
  readonly accountId: number
  readonly emailIds: Float64Array
  readonly criteria: readonly SearchCriterion[]
  readonly plain: boolean
}

export interface SearchSources {
  /** Null: there is none now. A run that sees another one than before begins anew. */
  index(): IndexFile | null
  readonly classes: Uint8Array
  readonly messages: StoredMessages
}

export interface SearchFound {
  /** Places in `emailIds`, ascending. */
  readonly places: Uint32Array<ArrayBuffer>
  /** Messages that could not be read, and therefore do not match. */
  readonly unreadable: number
}

export class SearchRun {
  readonly #asked: SearchAsked
  readonly #sources: SearchSources
  readonly #tests: readonly Test[]
  /** Ascending. */
  readonly #ids: Float64Array
  /** Where each of them stands in what was asked; null: at the same place. */
  readonly #order: Uint32Array | null
  #sliceEnd = 0
  #lookedInto = 0
  #toLookInto = 0
  #unreadable = 0

  constructor(asked: SearchAsked, sources: SearchSources) {
    this.#asked = asked
    this.#sources = sources
    this.#tests = asked.criteria.map(testFor)
    const { emailIds } = asked
    this.#order = isAscending(emailIds)
      ? null
      : Uint32Array.from(emailIds.keys()).sort((a, b) => emailIds[a]! - emailIds[b]!)
    this.#ids = this.#order === null ? emailIds : Float64Array.from(this.#order, (place) => emailIds[place]!)
  }

  get progress(): readonly [number, number] {
    return [this.#lookedInto, this.#toLookInto]
  }

  /** @throws {Error} The index's own: it is damaged. */
  *slices(): Generator<void, SearchFound> {
    this.#sliceEnd = performance.now() + sliceMs
    for (;;) {
      const index = this.#asked.plain || this.#ids.length <= fewMessages ? null : this.#sources.index()
      const states = this.#tests.map(() =>
        new Uint8Array(this.#ids.length).fill(index === null ? anywhere : 0),
      )
      if (index !== null && !(yield* this.#ask(index, states))) continue
      yield* this.#lookInside(states)
      return { places: this.#places(states), unreadable: this.#unreadable }
    }
  }

  /** @returns False when the index was replaced meanwhile. */
  *#ask(index: IndexFile, states: readonly Uint8Array[]): Generator<void, boolean> {
    // What is indexed while this runs is looked into as if it were not.
    const indexed = lowerBound(this.#ids, index.highWater + 1)
    for (const state of states) state.fill(anywhere, indexed)
    if (indexed === 0) return true
    const { accountId, criteria } = this.#asked
    const ids = this.#ids.subarray(0, indexed)
    const ends = [rowOf(accountId, ids[0]!), rowOf(accountId, ids.at(-1)!)] as const
    const lookup = new Lookup(index, this.#sources.classes, ids, ...ends)
    const base = rowOf(accountId, 0)
    for (const [i, criterion] of criteria.entries()) {
      const state = states[i]!
      const asking = lookup.ask(criterion)
      let answer = asking.next()
      for (; answer.done !== true; answer = asking.next()) {
        if (performance.now() < this.#sliceEnd) continue
        yield* this.#rest()
        if (this.#sources.index() !== index) return false
      }
      if (answer.value === null) {
        state.fill(anywhere, 0, indexed)
        continue
      }
      for (const { rows, where } of answer.value) mark(ids, state, rows, base, where ?? yes)
      this.#markPartial(index, state, indexed)
    }
    return true
  }

  #markPartial(index: IndexFile, state: Uint8Array, indexed: number): void {
    if (index.partial.size === 0) return
    const { accountId } = this.#asked
    for (let i = 0; i < indexed; i++)
      if (index.partial.has(rowOf(accountId, this.#ids[i]!))) state[i]! |= anywhere
  }

  *#lookInside(states: readonly Uint8Array[]): Generator<void, void> {
    const open = this.#combine(states)
    this.#toLookInto = open.length
    this.#lookedInto = 0
    this.#unreadable = 0
    for (const i of open) {
      if (performance.now() >= this.#sliceEnd) yield* this.#rest()
      const matches = this.#matches(i, states)
      for (const state of states) state[i] = matches ? yes : 0
      this.#lookedInto++
    }
  }

  *#rest(): Generator<void, void> {
    yield
    this.#sliceEnd = performance.now() + sliceMs
  }

  /** @returns Rows that have to be looked into: none of the criteria denies them, and not all are sure. */
  #combine(states: readonly Uint8Array[]): number[] {
    const open: number[] = []
    for (let i = 0; i < this.#ids.length; i++) {
      let lowest = yes
      for (const state of states) if (state[i]! < lowest) lowest = state[i]!
      if (lowest !== 0 && lowest < yes) open.push(i)
    }
    return open
  }

  #matches(i: number, states: readonly Uint8Array[]): boolean {
    const { messages } = this.#sources
    try {
      const message = messages.get(this.#asked.accountId, this.#ids[i]!)
      if (message === null) return false
      const texts = new MessageTexts(message, messages.reader(message))
      return this.#tests.every((test, k) => states[k]![i]! >= yes || test(texts, states[k]![i]!))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#unreadable++
      return false
    }
  }

  #places(states: readonly Uint8Array[]): Uint32Array<ArrayBuffer> {
    const places = new Uint32Array(this.#ids.length)
    let length = 0
    for (let i = 0; i < this.#ids.length; i++) {
      if (states.every((state) => state[i]! >= yes)) places[length++] = this.#order?.[i] ?? i
    }
    const found = places.slice(0, length)
    return this.#order === null ? found : found.sort()
  }
}

/** A body or a structure that cannot be read is a matter of one message. */
function isUnreadable(error: unknown): boolean {
  return error instanceof BodyUnreadable || (error instanceof Error && error.name === 'ForeignStructure')
}

/** Two ascending lists: of the ids asked for (some twice), and of rows found. */
function mark(ids: Float64Array, state: Uint8Array, rows: Float64Array, base: number, outcome: number): void {
  let i = 0
  for (let n = 0; n < rows.length; n++) {
    const id = rows[n]! - base
    if (ids[i]! < id) i = lowerBound(ids, id, i + 1)
    for (; i < ids.length && ids[i] === id; i++) state[i]! |= outcome
  }
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

function isAscending(ids: Float64Array): boolean {
  for (let i = 1; i < ids.length; i++) if (ids[i]! < ids[i - 1]!) return false
  return true
}
