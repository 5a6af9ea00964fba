/**
 * Puts a message into a multi-line reply, RFC 1939 §3: a line that begins with a dot gets a second one, and a dot alone
 * ends it. Nothing else changes, so the octets that are not stuffing are those that LIST counted.
 *
 * A dot after a bare CR or a bare LF is stuffed as well: some agents take those for line ends, and would take what
 * follows for the end of the reply and for replies of ours (docs/decisions/051).
 */
const dot = 46
const cr = 13
const lf = 10

export class DotStuffer {
  /** The two last octets sent; before the first, as if a line had just ended. */
  #last = lf
  #beforeLast = cr

  /** @returns The chunk itself when it needs no stuffing, which is nearly always. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const first = octets[0] === dot && isLineEnd(this.#last)
    const stuffed = first || octets.includes('\n.', 0, 'latin1') || octets.includes('\r.', 0, 'latin1')
    const result = stuffed ? stuff(octets, this.#last) : chunk
    this.#beforeLast = octets.length > 1 ? octets[octets.length - 2]! : this.#last
    this.#last = octets[octets.length - 1]!
    return result
  }

  /** The end of the reply; a last line without CRLF gets one, or the dot would belong to it. */
  end(): string {
    return this.#beforeLast === cr && this.#last === lf ? '.\r\n' : '\r\n.\r\n'
  }
}

/** One pass, whatever the message: one made of dots alone costs no more than any other. */
function stuff(octets: Uint8Array, before: number): Uint8Array {
  const stuffed = Buffer.allocUnsafe(octets.length * 2)
  let length = 0
  let last = before
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at]!
    if (octet === dot && isLineEnd(last)) stuffed[length++] = dot
    stuffed[length++] = octet
    last = octet
  }
  return stuffed.subarray(0, length)
}

function isLineEnd(octet: number): boolean {
  return octet === lf || octet === cr
}

/** A line of our own making, such as of LIST or CAPA. @returns With CRLF. */
export function stuffLine(line: string): string {
  return line.startsWith('.') ? `.${line}\r\n` : `${line}\r\n`
}
