/** Collects the terms of one message after another. */
import { gramChar, separator, wordChar } from './char-classes.ts'
import type { IndexFile } from './index-file.ts'
import type { OpenBlock } from './open-block.ts'
import { formOf, type WordForm } from './runs.ts'
import { nameOctet, octetOf, type Scope } from './scopes.ts'
import { SeenWords } from './seen-words.ts'
import { TermWriter } from './term-writer.ts'
import type { Vocabulary } from './vocabulary.ts'

export class DocumentTerms {
  readonly #vocabulary: Vocabulary
  readonly #classes: Uint8Array
  readonly #index: IndexFile
  readonly #grams = new Set<number>()
  readonly #seen = new SeenWords()
  /** Where opaque words go. */
  #block: OpenBlock
  readonly #terms = new TermWriter()
  #scope: Scope = 'body'
  #scopeOctet = octetOf('body')
  #charsLeft = 0
  #complete = true
  #onlyOpaque = false

  constructor(index: IndexFile, classes: Uint8Array) {
    this.#index = index
    this.#vocabulary = index.vocabulary
    this.#classes = classes
    this.#block = index.blocks.open
  }

  /** @param onlyOpaque Nothing else is wanted. */
  begin(row: number, onlyOpaque = false): void {
    this.#terms.clear()
    this.#charsLeft = this.#index.bounds.messageChars
    this.#complete = true
    this.#onlyOpaque = onlyOpaque
    this.#block = this.#index.blocks.open
    this.#block.begin(row)
  }

  /** Takes a text. @param folded By `foldText`. */
  add(scope: Scope, folded: string): void {
    if (folded.length > this.#charsLeft) {
      this.#complete = false
      return
    }
    this.#charsLeft -= folded.length
    this.#scope = scope
    this.#scopeOctet = octetOf(scope)
    this.#grams.clear()
    this.#seen.clear()
    const classes = this.#classes
    const end = folded.length
    for (let at = 0; at < end; ) {
      const kind = classes[folded.charCodeAt(at)]
      const start = at++
      if (kind === separator) continue
      if (kind === gramChar) {
        while (at < end && classes[folded.charCodeAt(at)] === gramChar) at++
        if (!this.#onlyOpaque) this.#addGrams(folded, start, at)
        continue
      }
      let hasDigit = false
      let units = 0
      for (at = start; at < end; at++) {
        const code = folded.charCodeAt(at)
        if (classes[code] !== wordChar) break
        if (code < 58) hasDigit = true
        units |= code
      }
      this.#addWord(folded, start, at, formOf(at - start, units < 128, hasDigit))
    }
  }

  /** Takes the name of a header field. */
  addName(name: string): void {
    this.#seen.clear()
    if (!this.#onlyOpaque) this.#addToVocabulary(nameOctet, name, 0, name.length)
  }

  /** @returns The terms with blanks between; and whether they, and the block, say everything about the message. */
  finish(): { readonly terms: string; readonly complete: boolean } {
    return { terms: this.#terms.text, complete: this.#complete }
  }

  #addWord(text: string, start: number, end: number, form: WordForm): void {
    const scope = this.#scope
    if (form === 'opaque' && (scope === 'header' || scope === 'body'))
      this.#block.add(scope, text, start, end)
    else if (this.#onlyOpaque) return
    else if (form === 'grams') this.#addGrams(text, start, end)
    else this.#addToVocabulary(this.#scopeOctet, text, start, end)
  }

  #addToVocabulary(scope: number, text: string, start: number, end: number): void {
    const hash = this.#vocabulary.hash(scope, text, start, end)
    if (this.#seen.add(text, start, end, hash)) return
    const { vocabularyOctets } = this.#index.bounds
    const number = this.#vocabulary.findOrAdd(scope, text, start, end, hash, vocabularyOctets)
    if (number > 0) this.#terms.word(number)
    else if (scope === nameOctet) this.#complete = false
    // There is no room for further words.
    else this.#addGrams(text, start, end)
  }

  #addGrams(text: string, start: number, end: number): void {
    const grams = this.#grams
    for (let at = start; at < end; at++) {
      const first = text.charCodeAt(at)
      if (!grams.has(first)) {
        grams.add(first)
        this.#terms.gram(this.#scopeOctet, first, null)
      }
      if (at + 1 === end) break
      const second = text.charCodeAt(at + 1)
      const key = 65_536 + first * 65_536 + second
      if (grams.has(key)) continue
      grams.add(key)
      this.#terms.gram(this.#scopeOctet, first, second)
    }
  }
}
