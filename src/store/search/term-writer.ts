/** Writes the terms of one message, one after another with blanks between, as FTS5 takes them. */
const blank = 32
/** Of one term. */
const octetsMax = 16

export class TermWriter {
  #octets = Buffer.allocUnsafe(16_384)
  #length = 0

  clear(): void {
    this.#length = 0
  }

  /** A word of the vocabulary: as `termOfWord` writes it. */
  word(id: number): void {
    this.#begin(118)
    let shift = 0
    while (id >>> shift > 31) shift += 5
    this.#number(id, shift)
    this.#octets[this.#length++] = blank
  }

  /** As `termOfGram` writes it. @param scope Its octet. */
  gram(scope: number, first: number, second: number | null): void {
    this.#begin(scope)
    this.#number(first, 15)
    if (second !== null) this.#number(second, 15)
    this.#octets[this.#length++] = blank
  }

  get text(): string {
    return this.#octets.toString('latin1', 0, this.#length)
  }

  #begin(octet: number): void {
    if (this.#length + octetsMax > this.#octets.length)
      this.#octets = Buffer.concat([this.#octets, Buffer.allocUnsafe(this.#octets.length)])
    this.#octets[this.#length++] = octet
  }

  /** In base 32. @param first Bits behind the first digit. */
  #number(value: number, first: number): void {
    for (let shift = first; shift >= 0; shift -= 5) {
      const digit = (value >>> shift) & 31
      this.#octets[this.#length++] = digit < 10 ? 48 + digit : 87 + digit
    }
  }
}
