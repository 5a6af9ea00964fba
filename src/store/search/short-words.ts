/**
 * Words of up to ten ASCII letters and digits, as most are: such a word is itself a number of 60 bits, six for each
 * character, so it is found without looking at what it is written as.
 */
export const shortUnitsMax = 10
/** Of a half of the number: five characters, the last ones of the word in the low half. */
export const halfMask = 2 ** 30 - 1

const firstBits = 12

export class ShortWords {
  readonly #lowFactor: number
  readonly #highFactor: number
  /** Triples, at the place of the hash or after it: both halves of the word, and its number. Low half 0: the place is free. */
  #slots = new Int32Array(3 * 2 ** firstBits)
  #bits = firstBits
  #count = 0

  /** @param seed Of the hashes, so that nobody can choose words that fall on one place. */
  constructor(seed: number) {
    this.#lowFactor = mix(seed) | 1
    this.#highFactor = mix(seed + 1) | 1
  }

  /** @param scope 0 to 7. @returns The word's number; -1 when it is not there. */
  find(scope: number, low: number, high: number): number {
    const slots = this.#slots
    const first = low | (scope << 30)
    const second = high | ((scope >> 2) << 30)
    for (let slot = this.#slotOf(first, second); ; slot = this.#after(slot)) {
      const found = slots[slot]!
      if (found === first && slots[slot + 1] === second) return slots[slot + 2]!
      if (found === 0) return -1
    }
  }

  /** Takes a word that is not there. */
  add(scope: number, low: number, high: number, number: number): void {
    if (++this.#count * 6 > this.#slots.length) this.#grow()
    this.#place(low | (scope << 30), high | ((scope >> 2) << 30), number)
  }

  #place(first: number, second: number, number: number): void {
    let slot = this.#slotOf(first, second)
    while (this.#slots[slot] !== 0) slot = this.#after(slot)
    this.#slots[slot] = first
    this.#slots[slot + 1] = second
    this.#slots[slot + 2] = number
  }

  #slotOf(first: number, second: number): number {
    const hash = (Math.imul(first, this.#lowFactor) + Math.imul(second, this.#highFactor)) | 0
    return (hash >>> (32 - this.#bits)) * 3
  }

  #after(slot: number): number {
    return slot + 3 === this.#slots.length ? 0 : slot + 3
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(old.length * 2)
    this.#bits++
    for (let slot = 0; slot < old.length; slot += 3)
      if (old[slot] !== 0) this.#place(old[slot]!, old[slot + 1]!, old[slot + 2]!)
  }
}

function mix(seed: number): number {
  const once = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return twice ^ (twice >>> 16)
}
