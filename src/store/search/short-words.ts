/**
 * Words of up to ten ASCII letters and digits, as most are: such a word is itself a number of 60 bits, six for each
 * character, so it is found without looking at what it is written as.
 */
export const shortUnitsMax = 10
/** Of a half of the number: five characters, the last ones of the word in the low half. */
export const halfMask = 2 ** 30 - 1

const firstBits = 12
/** Of the places are filled at most. */
const filledPart = 0.5

export class ShortWords {
  readonly #lowFactor: number
  readonly #highFactor: number
  /**
   * Four numbers each, at the place of the hash or after it: both halves of the word (low half 0: the place is free), its
   * number, and the message it was last taken in. Where so much lies far apart, what is asked together lies together.
   */
  #slots: Int32Array
  #message = 0
  #bits: number
  #count = 0

  /**
   * @param seed Of the hashes, so that nobody can choose words that fall on one place.
   * @param expected Words there is room for from the beginning.
   */
  constructor(seed: number, expected: number) {
    this.#bits = Math.max(firstBits, Math.ceil(Math.log2((expected + 1) / filledPart)))
    this.#slots = new Int32Array(4 * 2 ** this.#bits)
    this.#lowFactor = mix(seed) | 1
    this.#highFactor = mix(seed + 1) | 1
  }

  /** Another message begins. */
  begin(): void {
    this.#message = (this.#message + 1) | 0
  }

  /** @param scope 0 to 7. @returns The word's number; -1 when it is not there. */
  find(scope: number, low: number, high: number): number {
    const slot = this.#slotOf(low | (scope << 30), high | ((scope >> 2) << 30))
    return this.#slots[slot] === 0 ? -1 : this.#slots[slot + 2]!
  }

  /** As `find`, for the message begun last. @returns -2 when the word was taken, or added, in it before. */
  take(scope: number, low: number, high: number): number {
    const slot = this.#slotOf(low | (scope << 30), high | ((scope >> 2) << 30))
    const slots = this.#slots
    if (slots[slot] === 0) return -1
    if (slots[slot + 3] === this.#message) return -2
    slots[slot + 3] = this.#message
    return slots[slot + 2]!
  }

  /** Takes a word that is not there. */
  add(scope: number, low: number, high: number, number: number): void {
    if (++this.#count > 2 ** this.#bits * filledPart) this.#grow()
    const first = low | (scope << 30)
    const second = high | ((scope >> 2) << 30)
    this.#put(first, second, number, this.#message)
  }

  /** Where the word is, or would be. */
  #slotOf(first: number, second: number): number {
    const slots = this.#slots
    const hash = (Math.imul(first, this.#lowFactor) + Math.imul(second, this.#highFactor)) | 0
    for (let slot = (hash >>> (32 - this.#bits)) * 4; ; slot = (slot + 4) & (slots.length - 1)) {
      const found = slots[slot]!
      if (found === 0 || (found === first && slots[slot + 1] === second)) return slot
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(old.length * 2)
    this.#bits++
    for (let slot = 0; slot < old.length; slot += 4)
      if (old[slot] !== 0) this.#put(old[slot]!, old[slot + 1]!, old[slot + 2]!, old[slot + 3]!)
  }

  #put(first: number, second: number, number: number, message: number): void {
    const slots = this.#slots
    const slot = this.#slotOf(first, second)
    slots[slot] = first
    slots[slot + 1] = second
    slots[slot + 2] = number
    slots[slot + 3] = message
  }
}

function mix(seed: number): number {
  const once = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return twice ^ (twice >>> 16)
}
