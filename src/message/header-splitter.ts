/**
 * Cuts a message that comes in pieces into its header, which is kept, and its body, which passes through.
 *
 * Only CRLF ends a line here: our doors take no message with another line end (docs/decisions/002). As for
 * `MessageScanner`, a message whose first line is no header field has no header, and all of it is the body.
 */
import { beginsHeader } from './header.ts'

const CR = 13
const LF = 10
const firstOctets = 4_096

export class HeaderSplitter {
  readonly #octetsMax: number
  #held = Buffer.allocUnsafe(firstOctets)
  #length = 0
  #split = false
  /** The header with the CRLF of its last field, without the empty line; whole once a body octet came out. */
  header: Buffer = Buffer.alloc(0)
  /** The header is over the bound: it is not kept, and neither is the message worth reading. */
  overLimit = false

  /** @param octetsMax Of the header. */
  constructor(octetsMax: number) {
    this.#octetsMax = octetsMax
  }

  /** The header is whole, or there is none, or it is over the bound. */
  get known(): boolean {
    return this.#split
  }

  /** @returns Octets of the body, a view into the chunk where that can be; null when there are none. */
  push(chunk: Uint8Array): Uint8Array | null {
    if (this.#split) return this.overLimit || chunk.length === 0 ? null : chunk
    const from = this.#length
    this.#hold(chunk)
    const end = this.#headerEnd(from)
    if (end === null) {
      if (this.#length > this.#octetsMax) return this.#giveUp()
      return null
    }
    const body = this.#cut(end, end + 2)
    if (body.length === 0) return null
    // What came with this chunk need not be copied.
    return body.length <= chunk.length ? chunk.subarray(chunk.length - body.length) : body
  }

  /** @returns What was held of a message without an empty line, when it is body. */
  finish(): Uint8Array | null {
    if (this.#split) return null
    const body = this.#cut(this.#length, this.#length)
    return body.length === 0 ? null : body
  }

  #hold(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#held.length * 2))
      this.#held.copy(larger, 0, 0, this.#length)
      this.#held = larger
    }
    this.#held.set(chunk, this.#length)
    this.#length = needed
  }

  /** Where the empty line begins; null while that is not known. @param from Octets that were looked at before. */
  #headerEnd(from: number): number | null {
    if (this.#length >= 2 && this.#held[0] === CR && this.#held[1] === LF) return 0
    const found = this.#held.subarray(0, this.#length).indexOf('\r\n\r\n', Math.max(0, from - 3))
    return found < 0 ? null : found + 2
  }

  /** @returns The octets from `bodyFrom`, or all of them when there is no header. */
  #cut(end: number, bodyFrom: number): Buffer {
    this.#split = true
    const held = this.#held.subarray(0, this.#length)
    this.#held = Buffer.alloc(0)
    if (end > 0 && !beginsHeader(firstLine(held))) return held
    if (end > this.#octetsMax) this.overLimit = true
    else this.header = held.subarray(0, end)
    return this.overLimit ? Buffer.alloc(0) : held.subarray(bodyFrom)
  }

  #giveUp(): Uint8Array | null {
    const held = this.#held.subarray(0, this.#length)
    this.#split = true
    this.#held = Buffer.alloc(0)
    if (!beginsHeader(firstLine(held))) return held
    this.overLimit = true
    return null
  }
}

function firstLine(octets: Buffer): string {
  const lf = octets.indexOf(LF)
  return octets.toString('latin1', 0, Math.min(lf < 0 ? octets.length : lf, 1_000))
}
