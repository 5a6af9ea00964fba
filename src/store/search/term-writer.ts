/** Writes the terms of one message, one after another with blanks between, as FTS5 takes them. */
import { octetOf, type Scope } from './scopes.ts'

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
    let first = 1
    while (first * 36 <= id) first *= 36
    this.#number(id, first)
    this.#octets[this.#length++] = blank
  }

  /** As `termOfGram` writes it. */
  gram(scope: Scope, first: number, second: number | null): void {
    this.#begin(octetOf(scope))
    this.#number(first, 36 ** 3)
    if (second !== null) this.#number(second, 36 ** 3)
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

  /** In base 36. @param first What the first digit counts. */
  #number(value: number, first: number): void {
    for (let rest = value, unit = first; unit >= 1; unit = Math.floor(unit / 36)) {
      const digit = Math.floor(rest / unit)
      this.#octets[this.#length++] = digit < 10 ? 48 + digit : 87 + digit
      rest -= digit * unit
    }
  }
}
