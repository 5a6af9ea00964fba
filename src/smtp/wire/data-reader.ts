/**
 * Takes the octets after DATA apart: the message without its dot-stuffing, and the place where it ends.
 *
 * Only CRLF "." CRLF ends a message (RFC 5321 §4.1.1.4). A line of one dot with a bare LF on either side, which some
 * servers take as an end and others as text, is reported at once as `ambiguous`: a conversation that contains it is
 * an attempt at smuggling, or a client that would wait for ever. Either way it is refused and closed.
 */
export interface DataEvent {
  /** Message octets, in order, in one piece or none. */
  readonly chunks: readonly Uint8Array[]
  readonly state: 'more' | 'end' | 'ambiguous'
  /** What follows the end: further commands. */
  readonly rest: Uint8Array
}

const lineFeed = 10
const carriageReturn = 13
const dot = 46
const nothing = new Uint8Array(0)
/** Looked at, never written to. */
const lineEnd = Buffer.from('\r\n')

export class DataReader {
  /** Octets held back since they may begin an end of data; never more than 4. */
  #held: Buffer = lineEnd
  /** How many of `#held` are not part of the message: the CRLF that stands for the end of the DATA command. */
  #virtual = 2

  push(chunk: Uint8Array): DataEvent {
    const input = this.#withHeld(chunk)
    const chunks: Uint8Array[] = []
    let start = this.#virtual
    this.#virtual = 0
    const emit = (end: number): void => {
      if (end > start) chunks.push(input.subarray(start, end))
    }
    for (let at = input.indexOf('\n.'); at >= 0; at = input.indexOf('\n.', at + 1)) {
      const afterCr = at > 0 && input[at - 1] === carriageReturn
      const first = input[at + 2]
      const second = input[at + 3]
      if (first === lineFeed || (!afterCr && first === carriageReturn && second === lineFeed)) {
        return { chunks: joined(chunks), state: 'ambiguous', rest: nothing }
      }
      // The answer lies in octets that have not come yet.
      if (first === undefined || (first === carriageReturn && second === undefined)) break
      if (!afterCr) continue
      if (first === carriageReturn && second === lineFeed) {
        emit(at + 1)
        return { chunks: joined(chunks), state: 'end', rest: input.subarray(at + 4) }
      }
      // RFC 5321 §4.5.2: a dot that begins a line of more than itself is taken away.
      emit(at + 1)
      start = at + 2
    }
    const held = heldOctets(input)
    const keepFrom = Math.max(start, input.length - held)
    emit(keepFrom)
    // The octet before a held "\n." must be held too, or it would be forgotten whether it was a CR.
    this.#held = Buffer.from(input.subarray(input.length - held))
    this.#virtual = Math.max(0, start - (input.length - held))
    return { chunks: joined(chunks), state: 'more', rest: nothing }
  }

  /** The chunk is not copied where what was held cannot matter: a message seldom begins with a dot. */
  #withHeld(chunk: Uint8Array): Buffer {
    if (this.#virtual < this.#held.length || chunk.length === 0 || chunk[0] === dot)
      return Buffer.concat([this.#held, chunk])
    this.#virtual = 0
    return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  }
}

/** A message of nothing but dots comes in pieces of three octets, each of which would cost its readers as much as 64 KB. */
function joined(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  return chunks.length > 1 ? [Buffer.concat(chunks)] : chunks
}

/** How many octets at the end may be the beginning of CRLF "." CRLF, or decide what a dot after them means. */
function heldOctets(input: Buffer): number {
  const n = input.length
  const last = input[n - 1]
  const back = (i: number): number | undefined => input[n - i]
  // … LF "." CR
  if (last === carriageReturn && back(2) === dot && back(3) === lineFeed) return Math.min(n, 4)
  // … LF "."
  if (last === dot && back(2) === lineFeed) return Math.min(n, 3)
  if (last === lineFeed) return Math.min(n, 2)
  if (last === carriageReturn) return 1
  return 0
}
