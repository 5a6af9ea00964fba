/** Puts what the texts of one message after another have into the open block. */
import { foldText } from '../../message/fold-text.ts'
import { gramChar, lastAsciiClass, lastDigitClass, separator, wideChar } from './char-classes.ts'
import type { IndexFile } from './index-file.ts'
import { keyOfGram } from './keys.ts'
import type { OpenBlock } from './open-block.ts'
import { formOf } from './runs.ts'
import { nameOctet, octetOf, type Scope, shortIndexOf } from './scopes.ts'
import { halfMask, shortUnitsMax } from './short-words.ts'
import { Units, upperCase } from './units.ts'
import type { Vocabulary } from './vocabulary.ts'

export class DocumentTerms {
  readonly #index: IndexFile
  readonly #vocabulary: Vocabulary
  readonly #classes: Uint8Array
  readonly #text = new Units()
  readonly #block: OpenBlock
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
    this.#block.begin(row)
    this.#vocabulary.begin()
  }

  /** Takes a text, as it is. */
  add(scope: Scope, plain: string): void {
    // Of ASCII, both cases of a letter are of one class. Other characters take more octets than one.
    const text = this.#text.take(Buffer.byteLength(plain) === plain.length ? plain : foldText(plain))
    if (text.length > this.#charsLeft) {
      this.#complete = false
      return
    }
    this.#charsLeft -= text.length
    const scopeOctet = octetOf(scope)
    const scopeIndex = shortIndexOf(scopeOctet)
    const opaqueScope = scope === 'header' || scope === 'body' ? scope : null
    const { units } = text
    const classes = this.#classes
    const end = text.length
    for (let at = 0; at < end; ) {
      const start = at
      let kind = classes[units[at]!]!
      if (kind === separator) {
        at++
        continue
      }
      if (kind === gramChar) {
        while (kind === gramChar) kind = classes[units[++at]!]!
        this.#addGrams(scopeOctet, units, start, at)
        continue
      }
      let low = 0
      let high = 0
      let hasDigit = false
      // Behind the text is a separator.
      for (; kind !== separator && kind <= lastAsciiClass; kind = classes[units[++at]!]!) {
        high = ((high << 6) | (low >>> 24)) & halfMask
        low = ((low << 6) | kind) & halfMask
        if (kind <= lastDigitClass) hasDigit = true
      }
      const isAscii = kind !== wideChar
      while (kind !== separator && kind <= wideChar) kind = classes[units[++at]!]!
      const form = formOf(at - start, isAscii, hasDigit)
      if (form === 'opaque' && opaqueScope !== null) this.#block.addOpaque(opaqueScope, units, start, at)
      else if (form === 'grams') this.#addGrams(scopeOctet, units, start, at)
      else if (isAscii && at - start <= shortUnitsMax) {
        const number = this.#vocabulary.takeShort(scopeIndex, low, high)
        if (number >= 0) this.#block.addNewWord(number)
        else if (number === -1) this.#addNew(scopeOctet, text, start, at, isAscii)
      } else {
        const number = this.#vocabulary.findLong(scopeOctet, text, start, at)
        if (number >= 0) this.#block.addWord(number)
        else this.#addNew(scopeOctet, text, start, at, isAscii)
      }
    }
  }

  /** Takes the name of a header field. */
  addName(name: string): void {
    let number = this.#vocabulary.find(nameOctet, name)
    if (number < 0 && this.#hasRoom) number = this.#vocabulary.add(nameOctet, name)
    if (number >= 0) this.#block.addWord(number)
    else this.#complete = false
  }

  /** @returns Whether the block says everything about the message. */
  finish(): boolean {
    return this.#complete
  }

  get #hasRoom(): boolean {
    return this.#vocabulary.octets < this.#index.bounds.vocabularyOctets
  }

  #addNew(scope: number, text: Units, start: number, end: number, isAscii: boolean): void {
    if (!this.#hasRoom) {
      this.#addGrams(scope, text.units, start, end)
      return
    }
    const word = text.slice(start, end)
    // Others are of a text that is folded.
    this.#block.addWord(this.#vocabulary.add(scope, isAscii ? word.toUpperCase() : word))
  }

  #addGrams(scope: number, units: Uint16Array, start: number, end: number): void {
    for (let at = start; at < end; at++) {
      const first = upperCase(units[at]!)
      this.#block.addGram(keyOfGram(scope, first, null))
      if (at + 1 < end) this.#block.addGram(keyOfGram(scope, first, upperCase(units[at + 1]!)))
    }
  }
}
