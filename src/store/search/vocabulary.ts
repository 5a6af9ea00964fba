/**
 * All words of the index, each with the scope it stands in (header, text, subject …). They lie one behind another in a
 * buffer, and where a word begins there is its number. Looking for a piece of a word in it takes a millisecond for 300,000
 * words, and says which words hold the piece, whoever's they are. A hash table finds whole words.
 *
 * An entry is one octet of scope (a lower-case letter, which no folded text holds), the word in UTF-8, and LF.
 */
const lf = 10
const firstSlots = 4_096

export class Vocabulary {
  readonly #seed: number
  #octets = Buffer.alloc(65_536)
  #length = 1
  #savedLength = 1
  #count = 0
  /** Pairs: the hash and the number of a word, at the place of its hash or after it. Number 0: free. */
  #slots = new Uint32Array(firstSlots)
  readonly #scratch = Buffer.alloc(4_096)

  /** @param seed Of the hashes, so that nobody can choose words that fall on one place. */
  constructor(seed: number) {
    this.#seed = seed | 0
    // An entry is found by the LF before it.
    this.#octets[0] = lf
  }

  get count(): number {
    return this.#count
  }

  get octets(): number {
    return this.#length
  }

  /** Takes entries as `takeUnsaved` gave them. @throws {Error} They are none. */
  load(entries: Uint8Array): void {
    this.#reserve(entries.length)
    const end = this.#length + entries.length
    this.#octets.set(entries, this.#length)
    while (this.#length < end) {
      const next = this.#octets.indexOf(lf, this.#length) + 1
      if (next === 0 || next > end) throw new Error('the list of words is malformed')
      const word = this.#octets.toString('utf8', this.#length + 1, next - 1)
      this.#enter(this.hash(this.#octets[this.#length]!, word, 0, word.length), next)
    }
    this.#savedLength = this.#length
  }

  /** What was added since the last call. */
  takeUnsaved(): Uint8Array | null {
    if (this.#savedLength === this.#length) return null
    const entries = this.#octets.subarray(this.#savedLength, this.#length)
    this.#savedLength = this.#length
    return entries
  }

  /** Of the units of `text` in [start, end). */
  hash(scope: number, text: string, start: number, end: number): number {
    let hash = this.#seed ^ scope
    for (let i = start; i < end; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return (hash ^ (hash >>> 13)) >>> 0
  }

  /** @returns The word's number; 0 when it is not there. */
  find(scope: number, text: string, start = 0, end = text.length): number {
    return this.#find(scope, text, start, end, this.hash(scope, text, start, end))
  }

  /** @param hash By `hash`. @returns The word's number; 0 when it is not there and there is no room for it. */
  findOrAdd(
    scope: number,
    text: string,
    start: number,
    end: number,
    hash: number,
    octetsMax: number,
  ): number {
    const found = this.#find(scope, text, start, end, hash)
    if (found > 0) return found
    if (this.#length >= octetsMax) return 0
    this.#reserve((end - start) * 3 + 2)
    this.#octets[this.#length] = scope
    const written = this.#octets.write(text.slice(start, end), this.#length + 1, 'utf8')
    const next = this.#length + written + 2
    this.#octets[next - 1] = lf
    return this.#enter(hash, next)
  }

  /**
   * Numbers of the words of a scope that hold a piece.
   *
   * @param ends Whether the piece must stand at the word's beginning, or at its end.
   * @returns At most `limit`; and whether these are all.
   */
  holding(
    piece: string,
    scope: number,
    ends: { readonly start: boolean; readonly end: boolean },
    limit: number,
  ): { readonly numbers: number[]; readonly all: boolean } {
    const numbers: number[] = []
    const before = ends.start ? `\n${String.fromCharCode(scope)}` : ''
    const octets = Buffer.from(`${before}${piece}${ends.end ? '\n' : ''}`, 'utf8')
    const used = this.#octets.subarray(0, this.#length)
    for (let at = used.indexOf(octets); at >= 0; ) {
      const number = ends.start ? at + 1 : used.lastIndexOf(lf, at) + 1
      if (used[number] === scope) {
        if (numbers.length >= limit) return { numbers, all: false }
        numbers.push(number)
      }
      // Each word once; its LF may begin the next match.
      at = used.indexOf(octets, used.indexOf(lf, at + 1))
    }
    return { numbers, all: true }
  }

  #find(scope: number, text: string, start: number, end: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const number = slots[slot + 1]!
      if (number === 0) return 0
      if (slots[slot] === hash && this.#isEntry(number, scope, text, start, end)) return number
    }
  }

  #isEntry(number: number, scope: number, text: string, start: number, end: number): boolean {
    const octets = this.#octets
    if (octets[number] !== scope) return false
    let at = number + 1
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) return this.#isWideEntry(number + 1, text.slice(start, end))
      if (octets[at++] !== code) return false
    }
    return octets[at] === lf
  }

  #isWideEntry(from: number, word: string): boolean {
    const to = this.#octets.indexOf(lf, from)
    if (to - from > this.#scratch.length) return this.#octets.toString('utf8', from, to) === word
    const written = this.#scratch.write(word, 'utf8')
    return written === to - from && this.#octets.compare(this.#scratch, 0, written, from, to) === 0
  }

  /** Gives a number to the entry that ends before `next`. */
  #enter(hash: number, next: number): number {
    const number = this.#length
    this.#length = next
    if (++this.#count * 4 > this.#slots.length) this.#grow()
    this.#place(number, hash)
    return number
  }

  #place(number: number, hash: number): void {
    const mask = this.#slots.length - 1
    let slot = (hash << 1) & mask
    while (this.#slots[slot + 1] !== 0) slot = (slot + 2) & mask
    this.#slots[slot] = hash
    this.#slots[slot + 1] = number
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    for (let slot = 0; slot < old.length; slot += 2)
      if (old[slot + 1] !== 0) this.#place(old[slot + 1]!, old[slot]!)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#octets.length) return
    const octets = Buffer.alloc(Math.max(this.#octets.length * 2, this.#length + more))
    this.#octets.copy(octets, 0, 0, this.#length)
    this.#octets = octets
  }
}
