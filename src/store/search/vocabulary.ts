/**
 * All words of the index, each with the scope it stands in (header, text, subject …), numbered as they came. They lie one
 * behind another in a buffer: looking for a piece of a word in it takes a millisecond for 300,000
 * words, and says which words hold the piece, whoever's they are. Hash tables find whole words.
 *
 * An entry is one octet of scope (a lower-case letter, which no folded text holds), the word in UTF-8, and LF.
 */
import { lastAsciiClass } from './char-classes.ts'
import { shortIndexOf } from './scopes.ts'
import { halfMask, ShortWords, shortUnitsMax } from './short-words.ts'
import { Units, upperCase } from './units.ts'

const lf = 10
const firstSlots = 4_096

export class Vocabulary {
  readonly #seed: number
  readonly #classes: Uint8Array
  #octets: Buffer
  #length = 1
  #savedLength = 1
  #count = 0
  readonly #short: ShortWords
  /** Of other words, triples, at the place of the hash or after it: the hash, where the entry begins (0: free), its number. */
  #slots = new Uint32Array(3 * firstSlots)
  /** Of places. */
  #mask = firstSlots - 1
  #longCount = 0
  readonly #scratch = Buffer.alloc(4_096)
  readonly #word = new Units()

  /**
   * @param seed Of the hashes, so that nobody can choose words that fall on one place.
   * @param classes By `makeCharClasses`.
   * @param expected What is going to be loaded, that room need not be made again and again.
   */
  constructor(seed: number, classes: Uint8Array, expected = { words: 0, octets: 0 }) {
    this.#seed = seed | 0
    this.#classes = classes
    this.#octets = Buffer.alloc(Math.max(65_536, expected.octets + (expected.octets >> 1)))
    this.#short = new ShortWords(seed, expected.words)
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
      // Most words are short, and a thread that starts reads some ten thousand.
      const behind = this.#enterShort(this.#length)
      if (behind > 0) this.#length = behind
      if (behind > end) throw new Error('the list of words is malformed')
      if (behind > 0) continue
      const next = this.#octets.indexOf(lf, this.#length) + 1
      if (next === 0 || next > end) throw new Error('the list of words is malformed')
      this.#enter(this.#octets[this.#length]!, this.#wordAt(this.#length, next), next)
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

  /** @param word Folded. @returns The word's number; -1 when it is not there. */
  find(scope: number, word: string): number {
    const units = this.#word.take(word)
    const short = this.#shortOf(scope, units)
    return short === null ? this.findLong(scope, units, 0, word.length) : this.#short.find(...short)
  }

  /** Another message begins. */
  begin(): void {
    this.#short.begin()
  }

  /**
   * A short word, in the message begun last.
   *
   * @param scope Of `shortIndexOf`. @param low See short-words.ts.
   * @returns The word's number; -1 when it is not there; -2 when it was taken, or added, in this message before.
   */
  takeShort(scope: number, low: number, high: number): number {
    return this.#short.take(scope, low, high)
  }

  /**
   * A word that is not short, or a name.
   *
   * @param text Folded, but for its ASCII letters; the word is in [start, end).
   * @returns The word's number; -1 when it is not there.
   */
  findLong(scope: number, text: Units, start: number, end: number): number {
    const hash = this.#hash(scope, text, start, end)
    const slots = this.#slots
    for (let place = hash & this.#mask; ; place = (place + 1) & this.#mask) {
      const entry = slots[place * 3 + 1]!
      if (entry === 0) return -1
      if (slots[place * 3] === hash && this.#isEntry(entry, scope, text, start, end))
        return slots[place * 3 + 2]!
    }
  }

  /** @param word Folded, and not there yet. @returns The word's number. */
  add(scope: number, word: string): number {
    this.#reserve(word.length * 3 + 2)
    this.#octets[this.#length] = scope
    const next = this.#length + this.#octets.write(word, this.#length + 1, 'utf8') + 2
    this.#octets[next - 1] = lf
    return this.#enter(scope, word, next)
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

  /** Null: it is not short. */
  #shortOf(scope: number, { units, length }: Units): [number, number, number] | null {
    const index = shortIndexOf(scope)
    if (index < 0 || length > shortUnitsMax) return null
    let low = 0
    let high = 0
    for (let i = 0; i < length; i++) {
      const kind = this.#classes[units[i]!]!
      if (kind === 0 || kind > lastAsciiClass) return null
      high = ((high << 6) | (low >>> 24)) & halfMask
      low = ((low << 6) | kind) & halfMask
    }
    return [index, low, high]
  }

  #hash(scope: number, { units }: Units, start: number, end: number): number {
    let hash = this.#seed ^ scope
    for (let i = start; i < end; i++) {
      hash = Math.imul(hash ^ upperCase(units[i]!), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return (hash ^ (hash >>> 13)) >>> 0
  }

  #isEntry(entry: number, scope: number, text: Units, start: number, end: number): boolean {
    const octets = this.#octets
    if (octets[entry] !== scope) return false
    let at = entry + 1
    for (let i = start; i < end; i++) {
      const code = upperCase(text.units[i]!)
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

  /** Gives a number to the entry that begins here, if it is of a short word. @returns Where the next one begins; 0: it is not. */
  #enterShort(entry: number): number {
    const octets = this.#octets
    const index = shortIndexOf(octets[entry]!)
    if (index < 0) return 0
    const last = entry + 1 + shortUnitsMax
    let low = 0
    let high = 0
    for (let at = entry + 1; at <= last; at++) {
      const octet = octets[at]!
      if (octet === lf) {
        this.#short.add(index, low, high, this.#count++)
        return at + 1
      }
      const kind = this.#classes[octet]!
      if (octet > 127 || kind === 0 || kind > lastAsciiClass) return 0
      high = ((high << 6) | (low >>> 24)) & halfMask
      low = ((low << 6) | kind) & halfMask
    }
    return 0
  }

  /** Gives a number to the entry that ends before `next`. */
  #enter(scope: number, word: string, next: number): number {
    const entry = this.#length
    const number = this.#count++
    this.#length = next
    const units = this.#word.take(word)
    const short = this.#shortOf(scope, units)
    if (short !== null) this.#short.add(...short, number)
    else {
      if (++this.#longCount * 6 > this.#slots.length) this.#grow()
      this.#place(this.#hash(scope, units, 0, word.length), entry, number)
    }
    return number
  }

  #place(hash: number, entry: number, number: number): void {
    const slots = this.#slots
    let place = hash & this.#mask
    while (slots[place * 3 + 1] !== 0) place = (place + 1) & this.#mask
    slots[place * 3] = hash
    slots[place * 3 + 1] = entry
    slots[place * 3 + 2] = number
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    this.#mask = this.#mask * 2 + 1
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
