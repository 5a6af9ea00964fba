/**
 * Takes certain header fields out of a message while it streams past. Only the header is held, up to its bound; the body
 * passes through.
 */
import { beginsHeader, latin1, parseHeader } from './header.ts'

/** Names of fields, and how a look at a header tells that none of them is there. */
export interface FieldNames {
  /** In lower case. */
  readonly names: readonly string[]
  readonly mayStandThere: RegExp
}

/** Made once, not for each message. @param names In lower case. */
export function fieldNames(...names: readonly string[]): FieldNames {
  return { names, mayStandThere: new RegExp(`^(?:${names.join('|')})(?:[ \\t]|\\r?\\n[ \\t])*:`, 'im') }
}

/** @param value Of a field, as written, still folded, one char per octet. */
type Drops = (value: string) => boolean

/** What is left of the header once a line of it has ended: CRLF. */
const emptyLine = Buffer.from('\r\n\r\n')

export class FieldFilter {
  readonly #maxOctets: number
  readonly #fields: FieldNames
  readonly #drops: Drops
  /** Pieces of the header; null once it has passed. */
  #held: Buffer[] | null = []
  #heldOctets = 0

  /**
   * @param maxOctets A longer header passes as it is: the message is refused for its size anyway.
   * @param drops Which of the fields go; absent: all.
   */
  constructor(maxOctets: number, fields: FieldNames, drops: Drops = () => true) {
    this.#maxOctets = maxOctets
    this.#fields = fields
    this.#drops = drops
  }

  /** @returns What may go on, in order. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#held === null) return [chunk]
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const end = this.#headerEnd(piece)
    this.#held.push(piece)
    this.#heldOctets += piece.length
    if (end === null && this.#heldOctets <= this.#maxOctets) {
      // Octet by octet the list would cost more than what it holds.
      if (this.#held.length >= 64) this.#held = [Buffer.concat(this.#held)]
      return []
    }
    const held = this.#held.length === 1 ? piece : Buffer.concat(this.#held)
    this.#held = null
    if (end === null) return [held]
    const header = held.subarray(0, end)
    const kept = this.#without(header)
    return kept === header ? [held] : [kept, held.subarray(end)]
  }

  /** What was still held: a message that ends with its header. */
  finish(): Uint8Array[] {
    const held = this.#held
    this.#held = null
    return held === null || this.#heldOctets === 0 ? [] : [this.#without(Buffer.concat(held))]
  }

  /** Octets of the header with the CRLF of its last field, when it ends in this piece. */
  #headerEnd(piece: Buffer): number | null {
    if (this.#heldOctets === 0) return endOfHeader(piece)
    const before = this.#tail()
    const near = before.length === 0 ? piece : Buffer.concat([before, piece.subarray(0, 3)])
    // A message may begin with the empty line.
    const atStart = this.#heldOctets < 2 && near.length >= 2 && near[0] === 13 && near[1] === 10
    if (atStart) return 0
    const across = near.indexOf(emptyLine)
    if (across >= 0) return this.#heldOctets - before.length + across + 2
    const inside = piece.indexOf(emptyLine)
    return inside < 0 ? null : this.#heldOctets + inside + 2
  }

  /** The last three octets that are held, or fewer: a longer beginning of the empty line there is not. */
  #tail(): Buffer {
    let tail: Buffer = Buffer.alloc(0)
    for (const piece of this.#held!.toReversed()) {
      if (tail.length >= 3) break
      tail = Buffer.concat([piece, tail])
    }
    return tail.subarray(Math.max(0, tail.length - 3))
  }

  #without(header: Buffer): Uint8Array {
    const text = latin1(header)
    if (!this.#fields.mayStandThere.test(text)) return header
    // The lecture's letter has no header: what stands there is what Alice wrote. A mailbox file's own first line is none.
    if (!beginsHeader(text.slice(0, Math.max(0, text.indexOf('\r\n'))))) return header
    const { names } = this.#fields
    const kept: Uint8Array[] = []
    let from = 0
    for (const { name, value, offset, octets } of parseHeader(text).fields) {
      if (!names.includes(name.toLowerCase()) || !this.#drops(value)) continue
      kept.push(header.subarray(from, offset))
      from = offset + octets
    }
    return from === 0 ? header : Buffer.concat([...kept, header.subarray(from)])
  }
}

/** Octets of the header at the beginning of a message, with the CRLF of its last field; null: it goes on. */
function endOfHeader(beginning: Buffer): number | null {
  // A message may begin with the empty line.
  if (beginning[0] === 13 && beginning[1] === 10) return 0
  const found = beginning.indexOf(emptyLine)
  return found < 0 ? null : found + 2
}
