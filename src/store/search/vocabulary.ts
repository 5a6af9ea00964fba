/**
 * All words of the index, each with the scope it stands in (header, text, subject …), numbered as they came. They lie one
 * behind another in a buffer: looking for a piece of a word in it takes a millisecond for 300,000
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
  /** Triples, at the place of the hash or after it: the hash, where the entry begins (0: the place is free), its number. */
  #slots = new Uint32Array(3 * firstSlots)
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
      this.#enter(this.hash(this.#octets[this.#length]!, this.#wordAt(this.#length, next)), next)
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

  /** A hash is begun with the scope, goes on with each unit of the word, and is ended: `hashNext`, `hashEnd`. */
  hashBegin(scope: number): number {
    return this.#seed ^ scope
  }

  hash(scope: number, word: string): number {
    let hash = this.hashBegin(scope)
    for (let i = 0; i < word.length; i++) hash = hashNext(hash, word.charCodeAt(i))
    return hashEnd(hash)
  }

  /** @returns The word's number; -1 when it is not there. */
  find(scope: number, word: string): number {
    return this.#find(scope, word, 0, word.length, this.hash(scope, word))
  }

  /**
   * @param hash Of the units of `text` in [start, end).
   * @returns The word's number; -1 when it is not there and there is no room for it.
   */
  findOrAdd(
    scope: number,
    text: string,
    start: number,
    end: number,
    hash: number,
    octetsMax: number,
  ): number {
    const found = this.#find(scope, text, start, end, hash)
    if (found >= 0 || this.#length >= octetsMax) return found
    this.#reserve((end - start) * 3 + 2)
    this.#octets[this.#length] = scope
    const written = this.#octets.write(text.slice(start, end), this.#length + 1, 'utf8')
    const next = this.#length + written + 2
    this.#octets[next - 1] = lf
    return this.#enter(hash, next)
  }

  /**
   * Numbers of the words of a scope that hold a piece, ascending.
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
      const start = ends.start ? at + 1 : used.lastIndexOf(lf, at) + 1
      const next = used.indexOf(lf, at + 1)
      if (used[start] === scope) {
        if (numbers.length >= limit) return { numbers, all: false }
        numbers.push(this.find(scope, this.#wordAt(start, used.indexOf(lf, start) + 1)))
      }
      // Each word once; its LF may begin the next match.
      at = used.indexOf(octets, next)
    }
    return { numbers, all: true }
  }

  #wordAt(start: number, next: number): string {
    return this.#octets.toString('utf8', start + 1, next - 1)
  }

  #find(scope: number, text: string, start: number, end: number, hash: number): number {
    const slots = this.#slots
    const places = slots.length / 3
    for (let place = hash & (places - 1); ; place = (place + 1) & (places - 1)) {
      const slot = place * 3
      const entry = slots[slot + 1]!
      if (entry === 0) return -1
      if (slots[slot] === hash && this.#isEntry(entry, scope, text, start, end)) return slots[slot + 2]!
    }
  }

  #isEntry(entry: number, scope: number, text: string, start: number, end: number): boolean {
    const octets = this.#octets
    if (octets[entry] !== scope) return false
    let at = entry + 1
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) return this.#isWideEntry(entry + 1, text.slice(start, end))
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
    const entry = this.#length
    const number = this.#count++
    this.#length = next
    if (this.#count * 6 > this.#slots.length) this.#grow()
    this.#place(hash, entry, number)
    return number
  }

  #place(hash: number, entry: number, number: number): void {
    const slots = this.#slots
    const places = slots.length / 3
    let place = hash & (places - 1)
    while (slots[place * 3 + 1] !== 0) place = (place + 1) & (places - 1)
    slots[place * 3] = hash
    slots[place * 3 + 1] = entry
    slots[place * 3 + 2] = number
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    for (let slot = 0; slot < old.length; slot += 3)
      if (old[slot + 1] !== 0) this.#place(old[slot]!, old[slot + 1]!, old[slot + 2]!)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#octets.length) return
    const octets = Buffer.alloc(Math.max(this.#octets.length * 2, this.#length + more))
    this.#octets.copy(octets, 0, 0, this.#length)
    this.#octets = octets
  }
}

export function hashNext(hash: number, unit: number): number {
  const next = Math.imul(hash ^ unit, 0x9e3779b1)
  return next ^ (next >>> 15)
}

export function hashEnd(hash: number): number {
  const last = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (last ^ (last >>> 13)) >>> 0
}
