/**
 * Cuts a stream of octets into CRLF-ended lines within a bound.
 *
 * Only CRLF ends a line: a bare LF or CR is an error and not an ending, because two servers that disagree about
 * line ends can be made to disagree about where a message ends (RFC 5321 §2.3.8; docs/decisions).
 */
export type LineResult =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'bare-lf' }
  | { readonly kind: 'more' }

const empty = Buffer.alloc(0)

export class LineReader {
  #buffer: Buffer<ArrayBufferLike> = empty
  /** Octets of an overlong line that have been thrown away while its end is awaited. */
  #discarding = false

  get bufferedOctets(): number {
    return this.#buffer.length
  }

  /** Whether a line has begun that has not ended yet. */
  get midLine(): boolean {
    return this.#buffer.length > 0 || this.#discarding
  }

  push(chunk: Uint8Array): void {
    this.#buffer = this.#buffer.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#buffer, chunk])
  }

  /** Takes everything not read yet; the next reader begins with it. */
  take(maxOctets = this.#buffer.length): Uint8Array {
    const buffer = this.#buffer
    this.#pass(Math.min(maxOctets, buffer.length))
    return maxOctets >= buffer.length ? buffer : buffer.subarray(0, maxOctets)
  }

  /** Puts back, in front of what is there, octets that somebody else has read too far. */
  unread(octets: Uint8Array): void {
    this.#buffer = this.#buffer.length === 0 ? asBuffer(octets) : Buffer.concat([octets, this.#buffer])
  }

  /** Forgets everything not read yet, RFC 3207 §4.2: what came in the clear does not count after TLS. */
  discard(): void {
    this.#buffer = empty
    this.#discarding = false
  }

  /**
   * The next line, one char per octet, without its CRLF.
   *
   * @param maxOctets Bound without CRLF. A longer line is thrown away as it comes and reported once, when it has ended.
   */
  next(maxOctets: number): LineResult {
    const lf = this.#buffer.indexOf(10)
    if (lf < 0) {
      if (this.#discarding || this.#buffer.length > maxOctets + 1) {
        this.#discarding = true
        // A CR at the very end may belong to a CRLF that is still coming.
        const keep = this.#buffer.at(-1) === 13 ? 1 : 0
        this.#buffer = this.#buffer.subarray(this.#buffer.length - keep)
      }
      return { kind: 'more' }
    }
    const buffer = this.#buffer
    const ended = lf > 0 && buffer[lf - 1] === 13
    const end = ended ? lf - 1 : lf
    const overlong = this.#discarding || end > maxOctets
    this.#pass(lf + 1)
    this.#discarding = false
    if (!ended) return { kind: 'bare-lf' }
    if (overlong) return { kind: 'too-long' }
    return { kind: 'line', line: buffer.toString('latin1', 0, end) }
  }

  /** Most often a chunk is one line, or all of it is taken: then there is nothing to make a view of. */
  #pass(octets: number): void {
    this.#buffer = octets === this.#buffer.length ? empty : this.#buffer.subarray(octets)
  }
}

function asBuffer(octets: Uint8Array): Buffer {
  if (Buffer.isBuffer(octets)) return octets
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}
