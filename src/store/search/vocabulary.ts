/**
 * All words of the index, each with the scope it stands in (header, text, subject …), numbered as they came. They lie one
 * behind another in a buffer: looking for a piece of a word in it takes a millisecond for 300,000 words, and says which
 * words hold the piece, whoever's they are. A hash table over it says which number a word has.
 *
 * An entry is one octet of scope (a lower-case letter, which no folded text holds), the word in UTF-8, and LF.
 */
const lf = 10
const firstTerms = 1_024

export class Vocabulary {
  readonly #seed: number
  #octets = Buffer.alloc(65_536)
  #length = 1
  #savedLength = 1
  #count = 0
  /** Where each entry begins, and one more: where the next one will. */
  #starts = new Uint32Array(firstTerms + 1)
  /** Pairs: a hash, and one more than the number of its word, at the place of the hash or after it; 0: free. */
  #slots = new Uint32Array(firstTerms * 8)
  /** For whoever adds words: which document a word was last seen in. */
  stamps = new Uint32Array(firstTerms)
  readonly #scratch = Buffer.alloc(4_096)

  /** @param seed Of the hashes, so that nobody can choose words that fall on one place. */
  constructor(seed: number) {
    this.#seed = seed | 0
    this.#octets[0] = lf
    this.#starts[0] = 1
  }

  get count(): number {
    return this.#count
  }

  get octets(): number {
    return this.#length
  }

  /** Takes entries as `takeUnsaved` gave them. */
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
    for (let i = start; i < end; i++) hash = step(hash, text.charCodeAt(i))
    return finish(hash)
  }

  /** @returns The word's number; -1 when it is not there. */
  find(scope: number, text: string, start = 0, end = text.length): number {
    return this.#find(scope, text, start, end, this.hash(scope, text, start, end))
  }

  /** @returns The word's number; -1 when it is not there and there is no room for it. */
  findOrAdd(scope: number, text: string, start: number, end: number, octetsMax: number): number {
    const hash = this.hash(scope, text, start, end)
    const found = this.#find(scope, text, start, end, hash)
    if (found >= 0) return found
    if (this.#length >= octetsMax) return -1
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
   * @returns Null when there are more than `limit`.
   */
  holding(
    piece: string,
    scope: number,
    ends: { readonly start: boolean; readonly end: boolean },
    limit: number,
  ): number[] | null {
    const ids: number[] = []
    const before = ends.start ? `\n${String.fromCharCode(scope)}` : ''
    const octets = Buffer.from(`${before}${piece}${ends.end ? '\n' : ''}`, 'utf8')
    const used = this.#octets.subarray(0, this.#length)
    for (let at = used.indexOf(octets); at >= 0; ) {
      const id = this.#idAt(ends.start ? at + 1 : at)
      if (this.#octets[this.#starts[id]!] === scope) {
        if (ids.length >= limit) return null
        ids.push(id)
      }
      // The LF of this entry may begin the next match.
      at = used.indexOf(octets, this.#starts[id + 1]! - 1)
    }
    return ids
  }

  #find(scope: number, text: string, start: number, end: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const id = slots[slot + 1]! - 1
      if (id < 0) return -1
      if (slots[slot] === hash && this.#isEntry(id, scope, text, start, end)) return id
    }
  }

  #isEntry(id: number, scope: number, text: string, start: number, end: number): boolean {
    const octets = this.#octets
    const from = this.#starts[id]!
    if (octets[from] !== scope) return false
    const length = this.#starts[id + 1]! - from - 2
    if (length < end - start) return false
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) return this.#isWideEntry(from + 1, length, text.slice(start, end))
      if (octets[from + 1 + i - start] !== code) return false
    }
    return length === end - start
  }

  #isWideEntry(from: number, length: number, word: string): boolean {
    if (length > this.#scratch.length) return this.#octets.toString('utf8', from, from + length) === word
    const written = this.#scratch.write(word, 'utf8')
    return written === length && this.#octets.compare(this.#scratch, 0, written, from, from + length) === 0
  }

  /** Gives a number to the entry that ends before `next`. */
  #enter(hash: number, next: number): number {
    if (this.#count + 1 >= this.stamps.length) this.#growTerms()
    const id = this.#count++
    this.#length = next
    this.#starts[id + 1] = next
    this.#place(id + 1, hash)
    return id
  }

  #place(mark: number, hash: number): void {
    const mask = this.#slots.length - 1
    let slot = (hash << 1) & mask
    while (this.#slots[slot + 1] !== 0) slot = (slot + 2) & mask
    this.#slots[slot] = hash
    this.#slots[slot + 1] = mark
  }

  #growTerms(): void {
    const capacity = this.stamps.length * 2
    this.stamps = grown(this.stamps, capacity)
    this.#starts = grown(this.#starts, capacity + 1)
    const old = this.#slots
    this.#slots = new Uint32Array(capacity * 8)
    for (let slot = 0; slot < old.length; slot += 2)
      if (old[slot + 1] !== 0) this.#place(old[slot + 1]!, old[slot]!)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#octets.length) return
    const octets = Buffer.alloc(Math.max(this.#octets.length * 2, this.#length + more))
    this.#octets.copy(octets, 0, 0, this.#length)
    this.#octets = octets
  }

  /** The entry that an octet belongs to. */
  #idAt(at: number): number {
    let low = 0
    let high = this.#count - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return low
  }
}

function step(hash: number, code: number): number {
  const mixed = Math.imul(hash ^ code, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}

function grown(from: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(length)
  to.set(from)
  return to
}
