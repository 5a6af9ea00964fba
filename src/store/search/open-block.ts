/**
 * Opaque words (numbers, keys, signatures: see runs.ts) of some thousand messages, as trigrams. Headers are full of them,
 * nearly all different: as words they would fill the vocabulary, and as terms of FTS5 they cost five times what all other
 * words do. Here one costs some nanoseconds: a block is gathered in memory, sorted, and written once, when it is full.
 *
 * What is in memory is lost with the process; it is read again from the messages, see indexer.ts.
 */
import { pieceCount, trigramAt, trigramCount, trigramsPerPiece } from './trigrams.ts'

/** Where opaque words are told apart: in the header, and below it. */
export const opaqueScopes = { header: 0, body: 1 } as const
export type OpaqueScope = keyof typeof opaqueScopes

/** Trigrams after which a block is full with fewer messages. */
const trigramsMax = 2_000_000

/** All trigrams of one scope that begin with the same character. */
export interface BlockPiece {
  readonly piece: number
  readonly data: Uint8Array
}

export function pieceOf(scope: OpaqueScope, trigram: number): number {
  return opaqueScopes[scope] * pieceCount + Math.floor(trigram / trigramsPerPiece)
}

export class OpenBlock {
  /** Row ids of its messages, in the order of their emails. */
  readonly rows: number[] = []
  readonly #messagesMax: number
  /** Trigrams of the second scope come after those of the first. */
  #codes = new Uint32Array(16_384)
  #messages = new Uint16Array(16_384)
  #length = 0
  /** The message, counted from 1, in which a code was last seen. */
  readonly #seen = new Uint16Array(2 * trigramCount)

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
    for (let at = start; at + 2 < end; at++) this.#addCode(base + trigramAt(text, at, false))
    this.#addCode(base + trigramAt(text, end - 2, true))
  }

  /** Messages, by their places in `rows`, that hold one of the trigrams in [first, end). */
  withTrigrams(scope: OpaqueScope, first: number, end: number): Set<number> {
    const base = opaqueScopes[scope] * trigramCount
    const found = new Set<number>()
    for (let i = 0; i < this.#length; i++) {
      const code = this.#codes[i]! - base
      if (code >= first && code < end) found.add(this.#messages[i]!)
    }
    return found
  }

  /** Everything, to be written. */
  *pieces(): Generator<BlockPiece, void> {
    const codes = 2 * trigramCount
    const ends = new Uint32Array(codes + 1)
    for (let i = 0; i < this.#length; i++) ends[this.#codes[i]! + 1]!++
    for (let code = 0; code < codes; code++) ends[code + 1]! += ends[code]!
    const places = ends.slice()
    const sorted = new Uint16Array(this.#length)
    for (let i = 0; i < this.#length; i++) sorted[places[this.#codes[i]!]!++] = this.#messages[i]!
    for (let piece = 0; piece < 2 * pieceCount; piece++) {
      const first = piece * trigramsPerPiece
      const data = packPiece(ends.subarray(first, first + trigramsPerPiece + 1), sorted)
      if (data !== null) yield { piece, data }
    }
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
    const codes = new Uint32Array(this.#length * 2)
    codes.set(this.#codes)
    this.#codes = codes
    const messages = new Uint16Array(this.#length * 2)
    messages.set(this.#messages)
    this.#messages = messages
  }
}

/**
 * How many trigrams there are (in four octets); which, counted from the piece's first (two each); where the messages of
 * each end (four each); the messages (two each). In the order of octets of the machine.
 *
 * @param ends Where each trigram's messages begin in `sorted`, and where the last one's end.
 */
function packPiece(ends: Uint32Array, sorted: Uint16Array): Uint8Array | null {
  const first = ends[0]!
  const last = ends.at(-1)!
  if (first === last) return null
  const present: number[] = []
  for (let i = 0; i + 1 < ends.length; i++) if (ends[i + 1]! > ends[i]!) present.push(i)
  const packed = new Uint16Array(2 + present.length * 3 + last - first)
  packed[0] = present.length
  packed.set(present, 2)
  const lasts = Uint32Array.from(present, (i) => ends[i + 1]! - first)
  packed.set(new Uint16Array(lasts.buffer), 2 + present.length)
  packed.set(sorted.subarray(first, last), 2 + present.length * 3)
  return new Uint8Array(packed.buffer)
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
