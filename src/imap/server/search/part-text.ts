import { decodeCharset } from '../../../message/charset.ts'
import { parameterValue } from '../../../message/parameters.ts'
import type { Part } from '../../../message/part.ts'
import { decodeTransferEncoding } from '../../../message/transfer-encoding.ts'
import type { BodyRef } from '../../../store/body.ts'
import type { Store } from '../../../store/store.ts'

/** Octets decoded at once: well under a millisecond. */
const pieceOctets = 65_536
/** Octets of one text that are searched. */
const partOctets = 16 * 1_048_576
const lf = 10

/** Upper and lower case are one, RFC 3501 §6.4.4; so are the ways to compose a character. */
export function foldCase(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/**
 * The text of one part, decoded piece by piece. Pieces end at line ends, where no encoded octet, and in practice no
 * character, is cut; what is looked for may lie across two pieces, so the end of each is kept for the next.
 */
export class PartTextReader {
  readonly #store: Pick<Store, 'readBody'>
  readonly #body: BodyRef
  readonly #part: Part
  readonly #charset: string
  readonly #end: number
  #offset: number
  #tail = ''

  constructor(store: Pick<Store, 'readBody'>, body: BodyRef, part: Part) {
    this.#store = store
    this.#body = body
    this.#part = part
    // RFC 2046 §4.1.2: the default is US-ASCII, which decodeCharset reads generously.
    this.#charset = parameterValue(part.parameters, 'charset') ?? 'us-ascii'
    this.#offset = part.bodyOffset
    this.#end = part.bodyOffset + Math.min(part.octets, partOctets)
  }

  get atEnd(): boolean {
    return this.#offset >= this.#end
  }

  /** The next piece, case folded; null at the end. */
  async next(): Promise<string | null> {
    if (this.atEnd) return null
    const wanted = Math.min(pieceOctets, this.#end - this.#offset)
    const octets = await this.#store.readBody(this.#body, this.#offset, wanted)
    if (octets.length === 0) return null
    const cut = this.#offset + octets.length < this.#end ? octets.lastIndexOf(lf) + 1 : octets.length
    const piece = octets.subarray(0, cut > 0 ? cut : octets.length)
    this.#offset += piece.length
    return foldCase(decodeCharset(decodeTransferEncoding(piece, this.#part.encoding), this.#charset))
  }

  /** Whether the needle is in this piece, or begins in an earlier one and ends here. Both case folded. */
  holds(text: string, needle: string): boolean {
    const joined = this.#tail + text
    this.#tail = needle.length > 1 ? joined.slice(-(needle.length - 1)) : ''
    return joined.includes(needle)
  }
}
