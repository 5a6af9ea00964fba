/** Text that grows piece by piece, kept as octets: a string that has grown of thousands of pieces is slow to read. */
const firstOctets = 64 * 1024
/** More is given back after a batch that was unusual. */
const keptOctets = 1024 * 1024
/** UTF-8, of a UTF-16 unit. */
const octetsOfUnit = 3

export class GatheredText {
  #octets = Buffer.allocUnsafeSlow(firstOctets)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(text: string): void {
    const needed = this.#length + octetsOfUnit * text.length
    if (needed > this.#octets.length) this.#grow(needed)
    this.#length += this.#octets.write(text, this.#length)
  }

  /** @returns What was added since the last call, with a memory of its own, so that it can be handed to another thread. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#octets.buffer.slice(0, this.#length))
    this.#length = 0
    if (this.#octets.length > keptOctets) this.#octets = Buffer.allocUnsafeSlow(firstOctets)
    return taken
  }

  #grow(needed: number): void {
    const octets = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#octets.length))
    this.#octets.copy(octets, 0, 0, this.#length)
    this.#octets = octets
  }
}
