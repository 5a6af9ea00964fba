/** Collects the terms of one message. */
import { gramChar, separator, wordChar } from './char-classes.ts'
import { isOpaque } from './runs.ts'
import { nameScope, type Scope, scopes, termOfGram, termOfWord } from './scopes.ts'
import { type Vocabulary, vocabularyOctetsEnd, vocabularyOctetsMax } from './vocabulary.ts'

/** Chars of text in one message that are indexed; a message with more is looked into when it is searched. */
export const indexedCharsMax = 1_048_576

export class DocumentTerms {
  readonly #vocabulary: Vocabulary
  readonly #classes: Uint8Array
  readonly #octetsMax: number
  #document = 0
  #terms: string[] = []
  readonly #grams = new Set<number>()
  #scope: Scope = 'body'
  #charsLeft = 0
  #complete = true

  constructor(vocabulary: Vocabulary, classes: Uint8Array, octetsMax = vocabularyOctetsMax) {
    this.#vocabulary = vocabulary
    this.#classes = classes
    this.#octetsMax = octetsMax
  }

  begin(): void {
    this.#document++
    this.#terms = []
    this.#charsLeft = indexedCharsMax
    this.#complete = true
  }

  /** Takes a text. @param folded By `foldText`. */
  add(scope: Scope, folded: string): void {
    if (folded.length > this.#charsLeft) {
      this.#complete = false
      return
    }
    this.#charsLeft -= folded.length
    this.#scope = scope
    this.#grams.clear()
    const classes = this.#classes
    const end = folded.length
    for (let at = 0; at < end; ) {
      const kind = classes[folded.charCodeAt(at)]
      const start = at++
      if (kind === separator) continue
      if (kind === gramChar) {
        while (at < end && classes[folded.charCodeAt(at)] === gramChar) at++
        this.#addGrams(folded, start, at)
        continue
      }
      let hasDigit = false
      for (at = start; at < end; at++) {
        const code = folded.charCodeAt(at)
        if (classes[code] !== wordChar) break
        if (code < 58) hasDigit = true
      }
      this.#addWord(folded, start, at, hasDigit)
    }
  }

  /** Takes the name of a header field. */
  addName(name: string): void {
    this.#note(this.#vocabulary.findOrAdd(nameScope, name, 0, name.length, vocabularyOctetsEnd))
  }

  /** @returns The terms with blanks between; and whether they say everything about the message. */
  finish(): { readonly terms: string; readonly complete: boolean } {
    return { terms: this.#terms.join(' '), complete: this.#complete }
  }

  #addWord(text: string, start: number, end: number, hasDigit: boolean): void {
    const { word } = scopes[this.#scope]
    if (!isOpaque(end - start, hasDigit)) {
      const id = this.#vocabulary.findOrAdd(word, text, start, end, this.#octetsMax)
      if (id >= 0) {
        this.#note(id)
        return
      }
    }
    this.#addTrigrams(text, start, end)
  }

  #addTrigrams(text: string, start: number, end: number): void {
    const { trigram } = scopes[this.#scope]
    // A shorter word is here only because the list of words is full.
    const size = Math.min(3, end - start)
    for (let at = start; at + size <= end; at++)
      this.#note(this.#vocabulary.findOrAdd(trigram, text, at, at + size, vocabularyOctetsEnd))
  }

  #note(id: number): void {
    if (id < 0) {
      this.#complete = false
      return
    }
    const { stamps } = this.#vocabulary
    if (stamps[id] === this.#document) return
    stamps[id] = this.#document
    this.#terms.push(termOfWord(id))
  }

  #addGrams(text: string, start: number, end: number): void {
    const grams = this.#grams
    for (let at = start; at < end; at++) {
      const first = text.charCodeAt(at)
      if (!grams.has(first)) {
        grams.add(first)
        this.#terms.push(termOfGram(this.#scope, first, null))
      }
      if (at + 1 === end) break
      const second = text.charCodeAt(at + 1)
      const key = 65_536 + first * 65_536 + second
      if (grams.has(key)) continue
      grams.add(key)
      this.#terms.push(termOfGram(this.#scope, first, second))
    }
  }
}
