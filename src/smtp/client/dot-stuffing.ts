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
const lf = Uint8Array.of(LF)
const cr = Uint8Array.of(CR)
const dot = Uint8Array.of(DOT)

export class DotStuffer {
  #atLineStart = true
  /** The last octet was a CR, and has been given out. */
  #afterCr = false

  /** @returns The octets to send; the chunk itself when nothing is to be changed. */
  encode(chunk: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = []
    let from = 0
    const insert = (octets: Uint8Array, at: number): void => {
      if (at > from) parts.push(chunk.subarray(from, at))
      parts.push(octets)
      from = at
    }
    let afterCr = this.#afterCr
    let atLineStart = this.#atLineStart
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i]!
      if (octet === LF) {
        if (!afterCr) insert(cr, i)
        afterCr = false
        atLineStart = true
        continue
      }
      if (afterCr) {
        insert(lf, i)
        atLineStart = true
      }
      if (atLineStart && octet === DOT) insert(dot, i)
      afterCr = octet === CR
      atLineStart = false
    }
    this.#afterCr = afterCr
    this.#atLineStart = atLineStart
    if (parts.length === 0) return chunk
    if (from < chunk.length) parts.push(chunk.subarray(from))
    return Buffer.concat(parts)
  }

  /** What ends the message: its last line's CRLF if it has none, then the dot. RFC 5321 §4.1.1.4. */
  end(): string {
    if (this.#afterCr) return '\n.\r\n'
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n'
  }
}
