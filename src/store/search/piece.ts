/**
 * Pieces of a block, as they are written: keys, ascending, each with the messages that have it, ascending. Of each key the
 * difference to the one before it, how many octets its messages take, and of each message the difference to the one
 * before it. Numbers are written seven bits an octet, the lowest first; all but the last octet of one have the eighth bit.
 */

/** Of a piece, about: one lies on one page of the file. */
const pieceOctets = 3_900
const numberOctetsMax = 8

export interface Piece {
  readonly firstKey: number
  readonly data: Uint8Array
}

/** Makes pieces of keys that ascend. */
export class PieceWriter {
  #octets = Buffer.allocUnsafe(16_384)
  #length = 0
  #firstKey = 0
  #lastKey = 0

  /** Messages stand in [from, end) of the list. @returns What was begun before, when this one has no room in it. */
  add(key: number, messages: Uint16Array, from: number, end: number): Piece | null {
    const piece = this.#length > 0 && this.#length + end - from > pieceOctets ? this.finish() : null
    if (this.#length === 0) this.#firstKey = this.#lastKey = key
    this.#reserve((end - from + 2) * numberOctetsMax)
    this.#number(key - this.#lastKey)
    this.#lastKey = key
    const sizeAt = this.#length
    // Mostly it is one octet; of longer lists it is put before what is there already.
    this.#length++
    let last = 0
    for (let i = from; i < end; i++) {
      this.#number(messages[i]! - last)
      last = messages[i]!
    }
    this.#putSize(sizeAt)
    return piece
  }

  /** @returns The last piece; null when there is nothing. */
  finish(): Piece | null {
    if (this.#length === 0) return null
    const piece = { firstKey: this.#firstKey, data: Buffer.copyBytesFrom(this.#octets, 0, this.#length) }
    this.#length = 0
    return piece
  }

  #putSize(at: number): void {
    const end = this.#length
    const size = end - at - 1
    if (size < 128) {
      this.#octets[at] = size
      return
    }
    this.#length = at
    const room = size < 16_384 ? 2 : 3
    this.#octets.copyWithin(at + room, at + 1, end)
    this.#number(size)
    this.#length = end + room - 1
  }

  #number(value: number): void {
    let rest = value
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128))
      this.#octets[this.#length++] = (rest % 128) | 128
    for (; rest > 127; rest >>>= 7) this.#octets[this.#length++] = (rest & 127) | 128
    this.#octets[this.#length++] = rest
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#octets.length) return
    const octets = Buffer.allocUnsafe(Math.max(this.#octets.length * 2, this.#length + more))
    this.#octets.copy(octets, 0, 0, this.#length)
    this.#octets = octets
  }
}

/** Reads a piece, key by key. */
export class PieceReader {
  readonly #data: Uint8Array
  #at = 0
  #end = 0
  #key: number

  constructor({ firstKey, data }: Piece) {
    this.#data = data
    this.#key = firstKey
  }

  /** The next key; null when there is none. Messages of the one before it are passed over. */
  next(): number | null {
    this.#at = this.#end
    if (this.#at >= this.#data.length) return null
    this.#key += this.#number()
    const octets = this.#number()
    this.#end = this.#at + octets
    return this.#key
  }

  /** Of the key that `next` gave. */
  messages(take: (message: number) => void): void {
    for (let message = 0; this.#at < this.#end; ) take((message += this.#number()))
  }

  /** @throws {Error} The piece is damaged. */
  #number(): number {
    const first = this.#data[this.#at++]!
    if (first < 128) return first
    let value = first & 127
    for (let factor = 128; this.#at < this.#data.length; factor *= 128) {
      const octet = this.#data[this.#at++]!
      value += (octet & 127) * factor
      if (octet < 128) return value
    }
    throw new Error('the index is malformed: a piece ends too early')
  }
}
