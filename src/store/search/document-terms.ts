/** Puts what the texts of one message after another have into the open block. */
import { gramChar, separator, wordChar } from './char-classes.ts'
import type { IndexFile } from './index-file.ts'
import { keyOfGram } from './keys.ts'
import type { OpenBlock } from './open-block.ts'
import { formOf } from './runs.ts'
import { nameOctet, octetOf, type Scope } from './scopes.ts'
import { type Vocabulary, hashEnd, hashNext } from './vocabulary.ts'

export class DocumentTerms {
  readonly #vocabulary: Vocabulary
  readonly #classes: Uint8Array
  readonly #index: IndexFile
  #block: OpenBlock
  #charsLeft = 0
  #complete = true

  constructor(index: IndexFile, classes: Uint8Array) {
    this.#index = index
    this.#vocabulary = index.vocabulary
    this.#classes = classes
    this.#block = index.blocks.open
  }

  begin(row: number): void {
    this.#charsLeft = this.#index.bounds.messageChars
    this.#complete = true
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
    const scopeOctet = octetOf(scope)
    const opaqueScope = scope === 'header' || scope === 'body' ? scope : null
    const classes = this.#classes
    const begin = this.#vocabulary.hashBegin(scopeOctet)
    const end = folded.length
    for (let at = 0; at < end; ) {
      const start = at
      const kind = classes[folded.charCodeAt(at)]
      if (kind === separator) {
        at++
        continue
      }
      if (kind === gramChar) {
        do at++
        while (at < end && classes[folded.charCodeAt(at)] === gramChar)
        this.#addGrams(scopeOctet, folded, start, at)
        continue
      }
      let hasDigit = false
      let units = 0
      let hash = begin
      for (; at < end; at++) {
        const code = folded.charCodeAt(at)
        if (classes[code] !== wordChar) break
        if (code < 58) hasDigit = true
        units |= code
        hash = hashNext(hash, code)
      }
      const form = formOf(at - start, units < 128, hasDigit)
      if (form === 'opaque' && opaqueScope !== null) this.#block.addOpaque(opaqueScope, folded, start, at)
      else if (form === 'grams') this.#addGrams(scopeOctet, folded, start, at)
      else if (!this.#addWord(scopeOctet, folded, start, at, hashEnd(hash)))
        // There is no room for further words.
        this.#addGrams(scopeOctet, folded, start, at)
    }
  }

  /** Takes the name of a header field. */
  addName(name: string): void {
    const hash = this.#vocabulary.hash(nameOctet, name)
    if (!this.#addWord(nameOctet, name, 0, name.length, hash)) this.#complete = false
  }

  /** @returns Whether the block says everything about the message. */
  finish(): boolean {
    return this.#complete
  }

  /** @returns False when there is no room for it. */
  #addWord(scope: number, text: string, start: number, end: number, hash: number): boolean {
    const { vocabularyOctets } = this.#index.bounds
    const number = this.#vocabulary.findOrAdd(scope, text, start, end, hash, vocabularyOctets)
    if (number >= 0) this.#block.addWord(number)
    return number >= 0
  }

  #addGrams(scope: number, text: string, start: number, end: number): void {
    for (let at = start; at < end; at++) {
      const first = text.charCodeAt(at)
      this.#block.addGram(keyOfGram(scope, first, null))
      if (at + 1 < end) this.#block.addGram(keyOfGram(scope, first, text.charCodeAt(at + 1)))
    }
  }
}
