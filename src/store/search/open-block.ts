/**
 * The block of messages that the index is at: their keys are gathered in memory, where one costs some nanoseconds, sorted by
 * counting, and written once, when the block is full.
 *
 * What is in memory is lost when the process dies; then it is read again from the messages, see index-file.ts.
 */
import { firstGramKey, firstWordKey, keyOfTrigram, keyOfWord, type OpaqueScope } from './keys.ts'
import { type Piece, PieceReader, PieceWriter } from './piece.ts'
import { digitOf, endDigit, trigramOf } from './trigrams.ts'

/** Pairs of a key and a message after which a block is full with fewer messages. In memory one takes six octets. */
const pairsMax = 2_000_000
/** The same for different characters and pairs of them: of text made to be of many, each takes over a hundred octets. */
const gramKeysMax = 500_000
/** So many pairs that came after the last sorting are looked through one by one. */
const unsortedMax = 65_536

export class OpenBlock {
  /** Row ids of its messages, in the order of their emails; negative when the message has gone. */
  readonly rows: number[] = []
  readonly #messagesMax: number
  /**
   * Pairs of a code and a message. The code of a trigram or a word is its key; those of characters are -1, -2 and so on as
   * they come.
   */
  #codes = new Int32Array(16_384)
  #messages = new Uint16Array(16_384)
  #length = 0
  /** The message, counted from 1, in which the key of a trigram or word was last seen. */
  #seen = new Uint16Array(firstWordKey + 4_096)
  /** Of the keys of characters: the code of each; and by code, the key and the message in which it was last seen. */
  readonly #gramCodes = new Map<number, number>()
  readonly #gramKeys: number[] = []
  readonly #gramSeen: number[] = []
  #sorted = noneSorted

  /** @param messagesMax Numbers of messages in a block have 16 bits. */
  constructor(messagesMax: number) {
    this.#messagesMax = messagesMax
  }

  get full(): boolean {
    return (
      this.rows.length >= this.#messagesMax ||
      this.#length >= pairsMax ||
      this.#gramKeys.length >= gramKeysMax
    )
  }

  /** A new block begins; the room in memory is kept. */
  clear(): void {
    this.rows.length = 0
    this.#length = 0
    this.#seen.fill(0)
    this.#gramCodes.clear()
    this.#gramKeys.length = 0
    this.#gramSeen.length = 0
    this.#sorted = noneSorted
  }

  begin(row: number): void {
    this.rows.push(row)
  }

  /** Takes a word of the vocabulary. */
  addWord(number: number): void {
    this.#addCode(this.#codeOfWord(number))
  }

  /** Takes a word that the message begun last was not given before. */
  addNewWord(number: number): void {
    this.#addPair(this.#codeOfWord(number), this.rows.length - 1)
  }

  /** Takes an opaque word: at least two ASCII letters and digits, folded, of the message begun last. */
  addOpaque(scope: OpaqueScope, units: Uint16Array, start: number, end: number): void {
    const base = keyOfTrigram(scope, 0)
    let first = digitOf(units[start]!)
    let second = digitOf(units[start + 1]!)
    for (let at = start + 2; at < end; at++) {
      const third = digitOf(units[at]!)
      this.#addCode(base + trigramOf(first, second, third))
      first = second
      second = third
    }
    this.#addCode(base + trigramOf(first, second, endDigit))
  }

  /** @param key By `keyOfGram`. */
  addGram(key: number): void {
    const message = this.rows.length
    const code = this.#codeOfGram(key)
    if (this.#gramSeen[~code] === message) return
    this.#gramSeen[~code] = message
    this.#addPair(code, message - 1)
  }

  /** Marks the messages, by their places, that have one of the keys, which ascend. */
  find(keys: readonly number[], found: Uint8Array): void {
    if (this.#length - this.#sorted.messages.length > unsortedMax) this.#sort()
    const { messages, starts } = this.#sorted
    const codes = new Set<number>()
    for (const key of keys) {
      const code = key < firstGramKey ? key : this.#gramCodes.get(key)
      if (code === undefined) continue
      codes.add(code)
      const place = this.#placeOf(code)
      if (place < 0) continue
      for (let i = starts[place]!; i < starts[place + 1]!; i++) found[messages[i]!] = 1
    }
    if (codes.size === 0) return
    for (let i = messages.length; i < this.#length; i++)
      if (codes.has(this.#codes[i]!)) found[this.#messages[i]!] = 1
  }

  /** Everything, to be written; by key. */
  *pieces(): Generator<Piece, void> {
    this.#sort()
    const { messages, starts, plain, gramKeys } = this.#sorted
    const writer = new PieceWriter()
    for (let place = 0; place + 1 < starts.length; place++) {
      const from = starts[place]!
      const end = starts[place + 1]!
      if (from === end) continue
      const key = place < plain ? place : gramKeys[place - plain]!
      const piece = writer.add(key, messages, from, end)
      if (piece !== null) yield piece
    }
    const last = writer.finish()
    if (last !== null) yield last
  }

  /** Takes what another block was written as, without the messages that have gone. */
  load(rows: Float64Array, pieces: Iterable<Piece>): void {
    const places = rows.map((row) => (row > 0 ? this.rows.push(row) - 1 : -1))
    for (const piece of pieces) {
      const reader = new PieceReader(piece)
      for (let key = reader.next(); key !== null; key = reader.next()) {
        const code = key < firstGramKey ? key : this.#codeOfGram(key)
        if (key < firstGramKey && code >= this.#seen.length) this.#seen = grown(this.#seen, code + 1)
        reader.messages((message) => {
          if (places[message]! >= 0) this.#addPair(code, places[message]!)
        })
      }
    }
  }

  /** By counting. */
  #sort(): void {
    if (this.#sorted.messages.length === this.#length) return
    const plain = this.#seen.length
    const gramKeys = Float64Array.from(this.#gramKeys).sort()
    const gramRanks = new Uint32Array(gramKeys.length)
    for (const [rank, key] of gramKeys.entries()) gramRanks[~this.#gramCodes.get(key)!] = rank
    const codes = this.#codes.subarray(0, this.#length)
    const messages = new Uint16Array(codes.length)
    const starts = new Uint32Array(plain + gramKeys.length + 1)
    const placeOf = (code: number) => (code >= 0 ? code : plain + gramRanks[~code]!)
    for (let i = 0; i < codes.length; i++) starts[placeOf(codes[i]!) + 1]!++
    for (let place = 1; place < starts.length; place++) starts[place]! += starts[place - 1]!
    const next = starts.slice()
    for (let i = 0; i < codes.length; i++) messages[next[placeOf(codes[i]!)]!++] = this.#messages[i]!
    this.#sorted = { messages, starts, plain, gramKeys, gramRanks }
  }

  /** Where a code stands among those sorted; -1 when it does not. */
  #placeOf(code: number): number {
    const { plain, gramRanks } = this.#sorted
    if (code >= 0) return code < plain ? code : -1
    return ~code < gramRanks.length ? plain + gramRanks[~code]! : -1
  }

  #codeOfWord(number: number): number {
    const code = keyOfWord(number)
    if (code >= this.#seen.length) this.#seen = grown(this.#seen, code + 1)
    return code
  }

  #codeOfGram(key: number): number {
    let code = this.#gramCodes.get(key)
    if (code === undefined) {
      code = -this.#gramKeys.push(key)
      this.#gramSeen.push(0)
      this.#gramCodes.set(key, code)
    }
    return code
  }

  #addCode(code: number): void {
    const message = this.rows.length
    if (this.#seen[code] === message) return
    this.#seen[code] = message
    this.#addPair(code, message - 1)
  }

  #addPair(code: number, message: number): void {
    if (this.#length === this.#codes.length) {
      this.#codes = grown(this.#codes, this.#length + 1)
      this.#messages = grown(this.#messages, this.#length + 1)
    }
    this.#codes[this.#length] = code
    this.#messages[this.#length++] = message
  }
}

/** The first pairs in order. */
interface Sorted {
  /** Those of one key after those of another. */
  readonly messages: Uint16Array
  /** Where those of each key begin; first the keys of trigrams and words, each at its own place, then those of characters. */
  readonly starts: Uint32Array
  /** Places of the former. */
  readonly plain: number
  /** Ascending. */
  readonly gramKeys: Float64Array
  /** By code. */
  readonly gramRanks: Uint32Array
}

const noneSorted: Sorted = {
  ...{ messages: new Uint16Array(0), starts: new Uint32Array(1), plain: 0 },
  ...{ gramKeys: new Float64Array(0), gramRanks: new Uint32Array(0) },
}

/** With room for so many at least, and half as many again. */
function grown<A extends Uint16Array | Int32Array>(array: A, length: number): A {
  const Kind = array.constructor as new (length: number) => A
  const larger = new Kind(length + (length >> 1))
  larger.set(array)
  return larger
}
