/** A set of whole numbers, a bit for each, in pages of 65,536. */
export class NumberSet {
  readonly #pages = new Map<number, Uint8Array>()

  add(number: number): void {
    const key = Math.floor(number / 65_536)
    let page = this.#pages.get(key)
    if (page === undefined) {
      page = new Uint8Array(8_192)
      this.#pages.set(key, page)
    }
    const bit = number % 65_536
    page[bit >> 3]! |= 1 << (bit & 7)
  }

  has(number: number): boolean {
    const page = this.#pages.get(Math.floor(number / 65_536))
    const bit = number % 65_536
    return page !== undefined && (page[bit >> 3]! & (1 << (bit & 7))) !== 0
  }
}
