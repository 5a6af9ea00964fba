const LF = 10

/** A line longer than this is passed on in pieces. */
const lineOctetsMax = 1_048_576

/** Cuts pieces so that each one ends with a line, unless a line is over a megabyte. */
export class LineCutter {
  #rest: Buffer[] = []
  #restOctets = 0

  /** @returns Whole lines; empty when none has ended yet. */
  push(piece: Uint8Array): Buffer {
    const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    const end = octets.lastIndexOf(LF) + 1
    if (end === 0 && this.#restOctets + octets.length < lineOctetsMax) {
      this.#keep(octets)
      return Buffer.alloc(0)
    }
    const cut = end === 0 ? octets.length : end
    const lines = this.#restOctets === 0 ? octets.subarray(0, cut) : this.#take(octets.subarray(0, cut))
    if (cut < octets.length) this.#keep(octets.subarray(cut))
    return lines
  }

  /** What comes after the last line end. */
  finish(): Buffer {
    return this.#take(Buffer.alloc(0))
  }

  #keep(octets: Buffer): void {
    this.#rest.push(octets)
    this.#restOctets += octets.length
  }

  #take(last: Buffer): Buffer {
    const joined = Buffer.concat([...this.#rest, last])
    this.#rest = []
    this.#restOctets = 0
    return joined
  }
}
