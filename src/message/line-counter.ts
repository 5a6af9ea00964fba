const LF = 10
const CR = 13
const DASH = 45
/** In each octet of a word: 0x0E, below which the controls lie that matter, and the top bit. */
const LOW = 0x0e0e0e0e
const HIGH = 0x80808080

const NO_WORDS = new Int32Array(0)

/** Which line starts `LineCounter.advance` stops at. */
export const StopAt = { none: 0, dash: 1, everyLine: 2 } as const
export type StopAt = (typeof StopAt)[keyof typeof StopAt]

/**
 * Counts lines and notices the octets that RFC 5322 §2.3 forbids in a body, over a stream cut anywhere.
 *
 * Every message passes through here once, so the loop looks at words of four octets, four of them at once, and only
 * opens one that holds something below 0x0E: CR, LF and NUL live there, and ordinary text does not.
 */
export class LineCounter {
  /** LFs seen, with or without CR before them. */
  lines = 0
  bareLf = false
  bareCr = false
  nul = false
  eightBit = false

  /** The last octet of the previous chunk, -1 before the first. */
  #last = -1
  #chunk: Uint8Array | null = null
  #words: Int32Array = NO_WORDS
  #base = 0

  /**
   * Counts `octets[from..]` up to the next line start that the caller wants to look at.
   *
   * Within one chunk the calls follow each other: each begins where the one before ended, the first at 0.
   *
   * @param stop `dash` stops before lines that begin with `-`, or that begin beyond this chunk.
   * @returns The index of the line start, which may be `octets.length`; -1 when the chunk is used up.
   */
  advance(octets: Uint8Array, from: number, stop: StopAt): number {
    const end = octets.length
    if (from === 0 && end > 0 && this.#last === CR && octets[0] !== LF) this.bareCr = true
    // Lines of a header are stopped at one by one, and short: not worth the words.
    if (stop === StopAt.everyLine) return this.#each(octets, from, end, stop)
    const words = this.#wordsOf(octets)
    const base = this.#base
    const first = Math.max(0, (from - base + 3) >> 2)
    if (first >= words.length) return this.#each(octets, from, end, stop)
    let at = this.#each(octets, from, base + first * 4, stop)
    if (at < 0) at = this.#eachWord(octets, words, first, stop)
    return at >= 0 ? at : this.#each(octets, base + words.length * 4, end, stop)
  }

  /** The chunk as words of four octets, the first at the index `#base`. */
  #wordsOf(octets: Uint8Array): Int32Array {
    if (octets !== this.#chunk) {
      this.#chunk = octets
      this.#base = Math.min(octets.length, (4 - (octets.byteOffset & 3)) & 3)
      const count = (octets.length - this.#base) >> 2
      this.#words =
        count === 0 ? NO_WORDS : new Int32Array(octets.buffer, octets.byteOffset + this.#base, count)
    }
    return this.#words
  }

  /** Opens what is no ordinary text, from word `first` on. */
  #eachWord(octets: Uint8Array, words: Int32Array, first: number, stop: StopAt): number {
    const count = words.length
    const base = this.#base
    let highBits = 0
    let at = -1
    for (let word = first; word < count && at < 0; ) {
      word = this.#pass(words, word)
      for (const end = Math.min(word + 4, count); word < end && at < 0; word++) {
        const four = words[word] as number
        highBits |= four
        // A borrow can mark an octet above a true one in vain; #octet looks at the octet itself.
        let low = (four - LOW) & ~four & HIGH
        while (low !== 0 && at < 0) {
          const bit = low & -low
          low ^= bit
          at = this.#octet(octets, base + word * 4 + ((31 - Math.clz32(bit)) >> 3), stop)
        }
      }
    }
    if ((highBits & HIGH) !== 0) this.eightBit = true
    return at
  }

  /** @returns The first word from `from` on that must be opened, or one of the three before it. */
  #pass(words: Int32Array, from: number): number {
    const last = words.length - 4
    let highBits = 0
    let word = from
    for (; word <= last; word += 4) {
      const a = words[word] as number
      const b = words[word + 1] as number
      const c = words[word + 2] as number
      const d = words[word + 3] as number
      const low = ((a - LOW) & ~a) | ((b - LOW) & ~b) | ((c - LOW) & ~c) | ((d - LOW) & ~d)
      if ((low & HIGH) !== 0) break
      highBits |= a | b | c | d
    }
    if ((highBits & HIGH) !== 0) this.eightBit = true
    return word
  }

  /** Looks at each octet of `[from, until)`. */
  #each(octets: Uint8Array, from: number, until: number, stop: StopAt): number {
    for (let index = from; index < until; index++) {
      const octet = octets[index] as number
      if (octet >= 0x80) this.eightBit = true
      if (octet > CR) continue
      const next = this.#octet(octets, index, stop)
      if (next >= 0) return next
    }
    return -1
  }

  /** Counts one octet; returns the index of the line start after it when the caller wants that, otherwise -1. */
  #octet(octets: Uint8Array, index: number, stop: StopAt): number {
    const octet = octets[index] as number
    const next = index + 1
    if (octet === LF) {
      this.lines++
      if ((index > 0 ? octets[index - 1] : this.#last) !== CR) this.bareLf = true
      if (stop === StopAt.everyLine) return next
      if (stop === StopAt.dash && (next === octets.length || octets[next] === DASH)) return next
    } else if (octet === CR) {
      if (next < octets.length && octets[next] !== LF) this.bareCr = true
    } else if (octet === 0) this.nul = true
    return -1
  }

  /** To be called when a chunk has been counted to its end. */
  endChunk(octets: Uint8Array): void {
    this.#last = octets[octets.length - 1] ?? this.#last
    this.#chunk = null
    this.#words = NO_WORDS
  }

  /** To be called when the message has been counted to its end. */
  endMessage(): void {
    if (this.#last === CR) this.bareCr = true
  }

  get endsWithLf(): boolean {
    return this.#last === LF
  }
}
