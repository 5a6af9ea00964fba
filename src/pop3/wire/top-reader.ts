/**
 * Cuts a message after its header, the empty line, and so many lines of its body, RFC 1939 §7 TOP.
 *
 * A line ends with LF here, with or without CR: a message that came with bare LFs still has a header and lines.
 */
const cr = 13
const lf = 10

export class TopReader {
  #bodyLinesLeft: number
  #inHeader = true
  /** The line that is being read has shown nothing yet but, perhaps, CRs: however the message is cut. */
  #lineEmpty = true

  constructor(bodyLines: number) {
    this.#bodyLinesLeft = bodyLines
  }

  /** Whether nothing of what follows belongs to the top. */
  get done(): boolean {
    return !this.#inHeader && this.#bodyLinesLeft <= 0
  }

  /** @returns The part of this chunk that belongs to the top; not a copy. */
  push(chunk: Uint8Array): Uint8Array {
    let position = 0
    while (!this.done && position < chunk.length) {
      const end = chunk.indexOf(lf, position)
      if (end < 0) {
        this.#see(chunk, position, chunk.length)
        return chunk
      }
      this.#see(chunk, position, end)
      if (!this.#inHeader) this.#bodyLinesLeft--
      else if (this.#lineEmpty) this.#inHeader = false
      this.#lineEmpty = true
      position = end + 1
    }
    return chunk.subarray(0, position)
  }

  #see(chunk: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && this.#lineEmpty; at++) {
      if (chunk[at] !== cr) this.#lineEmpty = false
    }
  }
}
