/**
 * Opaque words (numbers, keys, signatures: see runs.ts) of some thousand messages, as trigrams. Headers are full of them,
 * nearly all different: as words they would fill the vocabulary, and as terms of FTS5 they cost five times what all other
 * words do. Here one costs some nanoseconds: a block is gathered in memory, sorted, and written once, when it is full.
 *
 * What is in memory is lost when the process dies; then it is read again from the messages, see indexer.ts.
 */
import { digitAt, endDigit, pieceCount, trigramCount, trigramOf, trigramsPerPiece } from './trigrams.ts'

/** Where opaque words are told apart: in the header, and below it. */
export const opaqueScopes = { header: 0, body: 1 } as const
export type OpaqueScope = keyof typeof opaqueScopes

/** Trigrams after which a block is full with fewer messages. */
const trigramsMax = 2_000_000

/** All trigrams of one scope that begin with the same two characters. */
export interface BlockPiece {
  readonly piece: number
  readonly data: Uint8Array
}

/** Pieces have numbers below it. */
export const piecesMax = 2 * pieceCount

export interface SavedBlock {
  readonly rows: Uint8Array
  readonly codes: Uint8Array
  readonly messages: Uint8Array
}

export function pieceOf(scope: OpaqueScope, trigram: number): number {
  return opaqueScopes[scope] * pieceCount + Math.floor(trigram / trigramsPerPiece)
}

/** What is in order and what came since: so many pairs are looked through one by one. */
const unsortedMax = 65_536

export class OpenBlock {
  /** Row ids of its messages, in the order of their emails. */
  readonly rows: number[] = []
  readonly #messagesMax: number
  /** Pairs of a trigram and a message. Trigrams of the second scope come after those of the first. */
  #codes = new Uint32Array(16_384)
  #messages = new Uint16Array(16_384)
  #length = 0
  /** The message, counted from 1, in which a code was last seen. */
  readonly #seen = new Uint16Array(2 * trigramCount)
  /** The first so many pairs, by trigram: their messages, and where those of each trigram begin. */
  #sortedLength = 0
  #sorted = new Uint16Array(0)
  readonly #starts = new Uint32Array(2 * trigramCount + 1)

  /** @param messagesMax Numbers of messages in a block have 16 bits. */
  constructor(messagesMax: number) {
    this.#messagesMax = messagesMax
  }

  get full(): boolean {
    return this.rows.length >= this.#messagesMax || this.#length >= trigramsMax
  }

  begin(row: number): void {
    this.rows.push(row)
  }

  /** Takes a word of ASCII letters and digits, at least two, of the message begun last. */
  add(scope: OpaqueScope, text: string, start: number, end: number): void {
    const base = opaqueScopes[scope] * trigramCount
    let first = digitAt(text, start)
    let second = digitAt(text, start + 1)
    for (let at = start + 2; at < end; at++) {
      const third = digitAt(text, at)
      this.#addCode(base + trigramOf(first, second, third))
      first = second
      second = third
    }
    this.#addCode(base + trigramOf(first, second, endDigit))
  }

  /** Messages, by their places in `rows`, that hold one of the trigrams in [first, end). */
  withTrigrams(scope: OpaqueScope, first: number, end: number): Set<number> {
    if (this.#length - this.#sortedLength > unsortedMax) this.#sort()
    const base = opaqueScopes[scope] * trigramCount
    const found = new Set(this.#sorted.subarray(this.#starts[base + first], this.#starts[base + end]))
    for (let i = this.#sortedLength; i < this.#length; i++) {
      const code = this.#codes[i]! - base
      if (code >= first && code < end) found.add(this.#messages[i]!)
    }
    return found
  }

  /** As it is, to go on with it later. In the order of octets of the machine. */
  save(): SavedBlock {
    return {
      rows: octetsOf(Float64Array.from(this.rows)),
      codes: octetsOf(this.#codes.subarray(0, this.#length)),
      messages: octetsOf(this.#messages.subarray(0, this.#length)),
    }
  }

  load({ rows, codes, messages }: SavedBlock): void {
    for (const row of new Float64Array(rows.slice().buffer)) this.rows.push(row)
    this.#codes = new Uint32Array(codes.slice().buffer)
    this.#messages = new Uint16Array(messages.slice().buffer)
    this.#length = this.#codes.length
  }

  /** Everything, to be written. */
  *pieces(): Generator<BlockPiece, void> {
    this.#sort()
    for (let piece = 0; piece < piecesMax; piece++) {
      const first = piece * trigramsPerPiece
      if (this.#starts[first + trigramsPerPiece]! > this.#starts[first]!)
        yield { piece, data: this.#packPiece(first) }
    }
  }

  /** By counting. */
  #sort(): void {
    const starts = this.#starts.fill(0)
    const length = this.#length
    for (let i = 0; i < length; i++) starts[this.#codes[i]! + 1]!++
    for (let code = 1; code < starts.length; code++) starts[code]! += starts[code - 1]!
    const places = starts.slice()
    const sorted = new Uint16Array(length)
    for (let i = 0; i < length; i++) sorted[places[this.#codes[i]!]!++] = this.#messages[i]!
    this.#sorted = sorted
    this.#sortedLength = length
  }

  /**
   * How many trigrams there are (in four octets); which, counted from the piece's first (two each); where the messages of
   * each end (four each); the messages (two each). In the order of octets of the machine.
   */
  #packPiece(first: number): Uint8Array {
    const starts = this.#starts
    const from = starts[first]!
    const to = starts[first + trigramsPerPiece]!
    let present = 0
    for (let i = first; i < first + trigramsPerPiece; i++) if (starts[i + 1]! > starts[i]!) present++
    const packed = new Uint16Array(2 + present * 3 + to - from)
    packed[0] = present
    let n = 0
    for (let i = 0; i < trigramsPerPiece; i++) {
      const end = starts[first + i + 1]!
      if (end === starts[first + i]!) continue
      packed[2 + n] = i
      packed.set(halvesOf(end - from), 2 + present + 2 * n++)
    }
    packed.set(this.#sorted.subarray(from, to), 2 + present * 3)
    return new Uint8Array(packed.buffer)
  }

  #addCode(code: number): void {
    const message = this.rows.length
    if (this.#seen[code] === message) return
    this.#seen[code] = message
    if (this.#length === this.#codes.length) this.#grow()
    this.#codes[this.#length] = code
    this.#messages[this.#length++] = message - 1
  }

  #grow(): void {
    const capacity = Math.max(16_384, this.#length * 2)
    const codes = new Uint32Array(capacity)
    codes.set(this.#codes)
    this.#codes = codes
    const messages = new Uint16Array(capacity)
    messages.set(this.#messages)
    this.#messages = messages
  }
}

function octetsOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

const four = new Uint32Array(1)
const halves = new Uint16Array(four.buffer)

/** A number of four octets as two of two. */
function halvesOf(value: number): Uint16Array {
  four[0] = value
  return halves
}

/** Messages of the trigrams in [first, end), all of one piece, in what `pieces` made of it. */
export function findTrigrams(data: Uint8Array, first: number, end: number): Set<number> {
  // Numbers of several octets lie at their own multiples.
  const { buffer } = data.byteOffset === 0 ? data : data.slice()
  const count = new Uint16Array(buffer, 0, 1)[0]!
  const present = new Uint16Array(buffer, 4, count)
  const lasts = new DataView(buffer, 4 + count * 2, count * 4)
  const endOf = (i: number) => (i < 0 ? 0 : lasts.getUint32(i * 4, isLittleEndian))
  const base = Math.floor(first / trigramsPerPiece) * trigramsPerPiece
  const from = placeOf(present, first - base)
  const to = placeOf(present, end - base)
  const start = endOf(from - 1)
  return new Set(new Uint16Array(buffer, 4 + count * 6 + start * 2, endOf(to - 1) - start))
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function placeOf(sorted: Uint16Array, wanted: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
