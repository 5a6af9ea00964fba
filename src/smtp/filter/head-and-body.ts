/** Cuts a message that arrives in pieces into its header and its body. */
import { type HeaderField, isFieldLine, parseHeader } from '../../message/header.ts'

const nothing = Buffer.alloc(0)

export class HeadAndBody {
  readonly #maxOctets: number
  #pieces: Buffer[] = []
  #octets = 0
  /** The last octets so far. */
  #tail = ''
  /** The first line has come, and is a field. */
  #begun = false
  #header: string | null = null
  #separator = ''

  /** @param maxOctets Bound of the header; past it there is none, and no body. */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets
  }

  /** One char per octet, with the CRLF of its last line, without the empty line; null until it is whole. */
  get header(): string | null {
    return this.#header
  }

  /** The empty line between header and body, or '' where there is none. */
  get separator(): string {
    return this.#separator
  }

  /** More header than may be. */
  get overLimit(): boolean {
    return this.#octets > this.#maxOctets
  }

  /** @returns What of the chunk belongs to the body, which may be octets of earlier chunks as well. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#header !== null) return chunk
    if (this.overLimit || chunk.length === 0) return nothing
    const piece = Buffer.from(chunk)
    this.#pieces.push(piece)
    this.#octets += piece.length
    // Looked for at the seam only, so that a header in many small pieces is not read again for each.
    const seam = this.#tail + piece.toString('latin1')
    this.#tail = seam.slice(-3)
    if (!this.#begun && !seam.includes('\n')) return nothing
    if (this.#begun && !seam.includes('\r\n\r\n')) return nothing
    this.#begun = true
    const all = Buffer.concat(this.#pieces)
    const end = headerEnd(all)
    if (end === null) return nothing
    this.#settle(all, end.header, end.body)
    return all.subarray(end.body)
  }

  /** The message has ended: all of it was header, unless an end was found before. @returns Body left over. */
  finish(): Uint8Array {
    if (this.#header !== null || this.overLimit) return nothing
    const all = Buffer.concat(this.#pieces)
    const end = isFieldLine(all.toString('latin1', 0, 1_024)) ? all.length : 0
    this.#settle(all, end, end)
    return all.subarray(end)
  }

  #settle(all: Buffer, header: number, body: number): void {
    this.#header = all.toString('latin1', 0, header)
    this.#separator = all.toString('latin1', header, body)
    this.#pieces = []
    this.#octets = 0
  }
}

/** A whole message in its three parts. @param maxOctets Of the header. @returns Null when it has more. */
export function splitMessage(
  octets: Uint8Array,
  maxOctets: number,
): { header: string; separator: string; body: Uint8Array } | null {
  const head = new HeadAndBody(maxOctets)
  head.push(octets)
  head.finish()
  const { header, separator } = head
  return header === null
    ? null
    : { header, separator, body: octets.subarray(header.length + separator.length) }
}

/** @returns Where the header ends and the body begins; null while that has not come. */
function headerEnd(all: Buffer): { header: number; body: number } | null {
  const lf = all.indexOf(10)
  if (lf < 0) return null
  if (lf === 1 && all[0] === 13) return { header: 0, body: 2 }
  // As everywhere here: a message whose first line is no field has no header.
  if (!isFieldLine(all.toString('latin1', 0, lf))) return { header: 0, body: 0 }
  const end = all.indexOf('\r\n\r\n', 0, 'latin1')
  return end < 0 ? null : { header: end + 2, body: end + 4 }
}

/** Fields of a header in order; lines that are no field are passed over. */
export function fieldsOf(header: string): readonly HeaderField[] {
  return parseHeader(header).fields
}
