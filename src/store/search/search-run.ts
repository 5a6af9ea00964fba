/**
 * One search, in slices: others have their turn between two of them. The index says of most messages whether they match;
 * those it is not sure of, and those it does not have yet, are looked into.
 */
import { BodyUnreadable } from '../errors.ts'
import type { SearchCriterion } from '../search.ts'
import { type IndexFile, rowOf } from './index-file.ts'
import { inBody, inHeader } from './places.ts'
import { depthOf, linesFor, MessageTexts, type Test, testFor, type TextLines } from './message-texts.ts'
import { Lookup } from './lookup.ts'
import { markEmails } from './mark-emails.ts'
import { headerPart, readMessagesMax, readOctetsMax } from './pace.ts'
import type { StoredMessage, StoredMessages } from './stored-messages.ts'

/** States of a message: one of its texts may hold the needle, in one of these places; or it matches; 0: it does not. */
const yes = 128
const anywhere = inHeader | inBody

/** So few messages are looked into without asking the index. */
export const fewMessages = 8
/** Of a slice. */
const sliceMs = 8
/** Rows of messages that are read at once, to look into them. */
const messagesAtOnce = 64

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
  /** In the order of `criteria`. */
  readonly #tests: readonly Test[]
  /** Of the tests, those that cost least first. */
  readonly #testOrder: readonly number[]
  readonly #lines: TextLines
  /** Ascending. */
  readonly #ids: Float64Array
  /** Where each of them stands in what was asked; null: at the same place. */
  readonly #order: Uint32Array | null
  /** By place: whether the index has it. Null: the index is not asked. */
  #indexed: Uint8Array | null = null
  /** How much was looked into, below the tables, that the index does not have. */
  #readMessages = 0
  #readOctets = 0
  #sliceEnd = 0
  #lookedInto = 0
  #toLookInto = 0
  #unreadable = 0

  constructor(asked: SearchAsked, sources: SearchSources) {
    this.#asked = asked
    this.#sources = sources
    const { criteria, emailIds } = asked
    this.#tests = criteria.map(testFor)
    const depths = criteria.map(depthOf)
    this.#testOrder = [...depths.keys()].sort((a, b) => depths[a]! - depths[b]!)
    this.#lines = linesFor(criteria)
    this.#order = isAscending(emailIds)
      ? null
      : Uint32Array.from(emailIds.keys()).sort((a, b) => emailIds[a]! - emailIds[b]!)
    this.#ids = this.#order === null ? emailIds : Float64Array.from(this.#order, (place) => emailIds[place]!)
  }

  get progress(): readonly [number, number] {
    return [this.#lookedInto, this.#toLookInto]
  }

  /**
   * Whether the account's messages are worth being in the index: it was asked about more than the tables say, and
   * has some of them; or without it much had to be read.
   */
  get needsIndex(): boolean {
    if (this.#asked.plain) return false
    if (this.#readMessages > readMessagesMax || this.#readOctets > readOctetsMax) return true
    const asksTexts = this.#asked.criteria.some((criterion) => depthOf(criterion) > 0)
    return asksTexts && this.#indexed?.includes(1) === true
  }

  /** Emails asked about that the index did not have, ascending. */
  get missing(): Float64Array {
    const indexed = this.#indexed
    return indexed === null ? this.#ids : this.#ids.filter((_, i) => indexed[i] === 0)
  }

  /** @throws {Error} The index's own: it is damaged. */
  *slices(): Generator<void, SearchFound> {
    this.#sliceEnd = performance.now() + sliceMs
    for (;;) {
      const index = this.#asked.plain || this.#ids.length <= fewMessages ? null : this.#sources.index()
      const states = this.#tests.map(() => new Uint8Array(this.#ids.length))
      this.#indexed = null
      if (index === null) for (const state of states) state.fill(anywhere)
      else if (!(yield* this.#ask(index, states))) continue
      yield* this.#lookInside(states)
      return { places: this.#places(states), unreadable: this.#unreadable }
    }
  }

  /** @returns False when the index was replaced, or has changed meanwhile. */
  *#ask(index: IndexFile, states: readonly Uint8Array[]): Generator<void, boolean> {
    const { accountId, criteria } = this.#asked
    const ids = this.#ids
    const base = rowOf(accountId, 0)
    const { blocks, indexed } = index.blocks.asked(base, ids)
    const { changes } = index.blocks
    this.#indexed = indexed
    // What is indexed while this runs is looked into as if it were not.
    for (let i = 0; i < ids.length; i++)
      if (indexed[i] === 0 || (index.partial.size > 0 && index.partial.has(base + ids[i]!)))
        for (const state of states) state[i] = anywhere
    if (blocks.length === 0) return true
    const lookup = new Lookup(
      ...([index.vocabulary, this.#sources.classes, blocks] as const),
      ...([base + ids[0]!, base + ids.at(-1)!] as const),
    )
    for (const [i, criterion] of criteria.entries()) {
      const state = states[i]!
      const asking = lookup.ask(criterion)
      let answer = asking.next()
      for (; answer.done !== true; answer = asking.next()) {
        if (performance.now() < this.#sliceEnd) continue
        yield* this.#rest()
        if (this.#sources.index() !== index || index.blocks.changes !== changes) return false
      }
      if (answer.value === null) state.fill(anywhere)
      else for (const { rows, where } of answer.value) markEmails(ids, state, rows, base, where ?? yes)
    }
    return true
  }

  *#lookInside(states: readonly Uint8Array[]): Generator<void, void> {
    const open = this.#combine(states)
    this.#toLookInto = open.length
    this.#lookedInto = 0
    this.#unreadable = 0
    this.#readMessages = 0
    this.#readOctets = 0
    for (let from = 0; from < open.length; from += messagesAtOnce) {
      const places = open.slice(from, from + messagesAtOnce)
      const emailIds = Float64Array.from(places, (i) => this.#ids[i]!)
      const messages = this.#sources.messages.some(this.#asked.accountId, emailIds)
      let next = 0
      for (const i of places) {
        if (performance.now() >= this.#sliceEnd) yield* this.#rest()
        while (next < messages.length && messages[next]!.emailId < this.#ids[i]!) next++
        const message = messages[next]
        const isThere = message !== undefined && message.emailId === this.#ids[i]
        const matches = isThere && this.#matches(message, i, states)
        for (const state of states) state[i] = matches ? yes : 0
        this.#lookedInto++
      }
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

  #matches(message: StoredMessage, i: number, states: readonly Uint8Array[]): boolean {
    const texts = new MessageTexts(message, this.#sources.messages.reader(message, true), this.#lines)
    try {
      return this.#testOrder.every((k) => states[k]![i]! >= yes || this.#tests[k]!(texts, states[k]![i]!))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#unreadable++
      return false
    } finally {
      if (this.#indexed?.[i] !== 1) this.#count(texts, message)
    }
  }

  #count({ opened }: MessageTexts, { bodyOctets }: StoredMessage): void {
    if (opened === 'header') this.#readMessages += headerPart
    if (opened !== 'body') return
    this.#readMessages++
    this.#readOctets += bodyOctets
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

function isAscending(ids: Float64Array): boolean {
  for (let i = 1; i < ids.length; i++) if (ids[i]! < ids[i - 1]!) return false
  return true
}
