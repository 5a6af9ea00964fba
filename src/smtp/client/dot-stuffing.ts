/**
 * Writes a message as it goes over the wire after 354, RFC 5321 §4.5.2.
 *
 * What holds for every message, whatever octets it has: CR and LF come out only together, and CRLF "." CRLF comes out
 * only at the very end. A bare CR or LF becomes CRLF (RFC 5321 §2.3.8 forbids to send one), because servers that take
 * either for a line's end could be made to see the end of the message in its middle, and commands behind it.
 * docs/decisions/022.
 */
const CR = 13
const LF = 10
const DOT = 46
const carriageReturn = Uint8Array.of(CR)
const lineFeed = Uint8Array.of(LF)
const dot = Uint8Array.of(DOT)

export class DotStuffer {
  #atLineStart = true
  /** The last octet was a CR, and has been given out. */
  #afterCr = false

  /** @returns The octets to send; the chunk itself when nothing is to be changed. */
  encode(chunk: Uint8Array): Uint8Array {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const parts: Uint8Array[] = []
    let from = 0
    const insert = (what: Uint8Array, at: number): void => {
      if (at > from) parts.push(octets.subarray(from, at))
      parts.push(what)
      from = at
    }
    let afterCr = this.#afterCr
    let atLineStart = this.#atLineStart
    // From line end to line end, not octet by octet; each end is looked for once, so the time stays linear.
    let nextCr = -1
    let nextLf = -1
    for (let at = 0; at < octets.length; ) {
      if (afterCr) {
        afterCr = false
        atLineStart = true
        if (octets[at] === LF) {
          at++
          continue
        }
        insert(lineFeed, at)
      }
      if (atLineStart && octets[at] === DOT) insert(dot, at)
      atLineStart = false
      if (nextCr < at) nextCr = find(octets, CR, at)
      if (nextLf < at) nextLf = find(octets, LF, at)
      if (nextCr < nextLf) {
        afterCr = true
        at = nextCr + 1
      } else {
        if (nextLf < octets.length) {
          insert(carriageReturn, nextLf)
          atLineStart = true
        }
        at = nextLf + 1
      }
    }
    this.#afterCr = afterCr
    this.#atLineStart = atLineStart
    if (parts.length === 0) return chunk
    if (from < octets.length) parts.push(octets.subarray(from))
    return Buffer.concat(parts)
  }

  /** What ends the message: its last line's CRLF if it has none, then the dot. RFC 5321 §4.1.1.4. */
  end(): string {
    if (this.#afterCr) return '\n.\r\n'
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n'
  }
}

/** Where the octet comes next; the length when it does not. */
function find(octets: Buffer, octet: number, from: number): number {
  const at = octets.indexOf(octet, from)
  return at < 0 ? octets.length : at
}
