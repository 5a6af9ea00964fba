/** Walks along one command from left to right and takes the pieces its grammar names, RFC 3501 §9. */
import type { FramedCommand } from './framing.ts'
import { bad, type Refusal } from './refusal.ts'

/** ATOM-CHAR: any CHAR but `(` `)` `{` SP CTL `%` `*` `"` `\` `]`. */
const atomPattern = /[\x21\x23\x24\x26\x27+-[^-z|}~]+/y
/** ASTRING-CHAR = ATOM-CHAR / "]". */
const astringPattern = /[\x21\x23\x24\x26\x27+-[\]^-z|}~]+/y
/** list-char = ATOM-CHAR / list-wildcards / "]". */
const listPattern = /[\x21\x23-\x27*+-[\]^-z|}~]+/y
/** Tags are ASTRING-CHARs without "+". */
const tagPattern = /[\x21\x23\x24\x26\x27,-[\]^-z|}~]+/y
/** QUOTED-CHAR: no CR, LF or NUL; DQUOTE and backslash after a backslash. 8-bit as in RFC 9051 §9: what it means is asked later. */
const quotedPattern = /"((?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\xff]|\\["\\])*)"/y
const sequencePattern = /[0-9:,*]+/y
const numberPattern = /[0-9]+/y

export class CommandReader {
  readonly #command: FramedCommand
  #part = 0
  #text: string
  #position = 0

  constructor(command: FramedCommand) {
    this.#command = command
    this.#text = command.texts[0] ?? ''
  }

  get atEnd(): boolean {
    return this.#position >= this.#text.length && this.#part >= this.#command.literals.length
  }

  /** The char at the position; '' at the end of the text, where a literal may follow. */
  get next(): string {
    return this.#text.charAt(this.#position)
  }

  /** Whether the next thing is a literal. */
  get atLiteral(): boolean {
    return this.#position >= this.#text.length && this.#part < this.#command.literals.length
  }

  /** Passes the given text if it comes next, ASCII case ignored. */
  accept(expected: string): boolean {
    const found = this.#text.slice(this.#position, this.#position + expected.length)
    if (found !== expected && found.toUpperCase() !== expected.toUpperCase()) return false
    this.#position += expected.length
    return true
  }

  expect(expected: string): void {
    if (!this.accept(expected)) throw this.fault(expected === ' ' ? 'a space' : expected)
  }

  space(): void {
    this.expect(' ')
  }

  end(): void {
    if (!this.atEnd) throw this.fault('the end of the line')
  }

  tag(): string {
    return this.#match(tagPattern) ?? this.#fail('a tag')
  }

  atom(): string {
    return this.#match(atomPattern) ?? this.#fail('an atom')
  }

  /** astring = 1*ASTRING-CHAR / string */
  astring(): string {
    return this.#match(astringPattern) ?? this.#string() ?? this.#fail('a string')
  }

  /** list-mailbox = 1*list-char / string */
  listMailbox(): string {
    return this.#match(listPattern) ?? this.#string() ?? this.#fail('a mailbox pattern')
  }

  /** string = quoted / literal */
  string(): string {
    return this.#string() ?? this.#fail('a quoted string or a literal')
  }

  /** nstring = string / nil */
  nstring(): string | null {
    const string = this.#string()
    if (string !== null) return string
    if (!this.accept('NIL')) throw this.fault('a string or NIL')
    return null
  }

  /** The text of quoted = DQUOTE *QUOTED-CHAR DQUOTE; null when none comes next. */
  quoted(): string | null {
    const text = this.#match(quotedPattern)
    return text === null ? null : text.slice(1, -1).replace(/\\(["\\])/g, '$1')
  }

  /** A sequence set as written; sequence-set.ts looks inside. */
  sequenceText(): string {
    return this.#match(sequencePattern) ?? this.#fail('a sequence set')
  }

  /** number = 1*DIGIT, 0 to 2^32 - 1. */
  number(): number {
    const digits = this.#match(numberPattern)
    if (digits === null) throw this.fault('a number')
    const value = Number(digits)
    if (digits.length > 10 || value > 4_294_967_295) throw bad('Cannot read command: number is too large')
    return value
  }

  /** Passes what the sticky pattern matches here; null, and no move, when it does not. */
  match(sticky: RegExp): string | null {
    return this.#match(sticky)
  }

  /** Passes a literal whatever is in it, one that went elsewhere too. @returns Its octets; null when none comes next. */
  literalOctets(): number | null {
    const literal = this.atLiteral ? this.#command.literals[this.#part] : undefined
    if (literal === undefined) return null
    this.#passLiteral()
    return literal.octets
  }

  /** BAD, saying what was expected here. */
  fault(expected: string): Refusal {
    return bad(`Cannot read command: expected ${expected}`)
  }

  #string(): string | null {
    if (this.#text.charAt(this.#position) === '"') return this.quoted()
    const literal = this.atLiteral ? this.#command.literals[this.#part] : undefined
    if (literal === undefined || literal.text === null) return null
    // CHAR8 = %x01-ff: NUL is in no string of IMAP.
    if (literal.text.includes('\0')) throw bad('Cannot read command: NUL in a literal')
    this.#passLiteral()
    return literal.text
  }

  #passLiteral(): void {
    this.#part++
    this.#text = this.#command.texts[this.#part] ?? ''
    this.#position = 0
  }

  #match(sticky: RegExp): string | null {
    sticky.lastIndex = this.#position
    const found = sticky.exec(this.#text)
    if (found === null) return null
    this.#position += found[0].length
    return found[0]
  }

  #fail(expected: string): never {
    throw this.fault(expected)
  }
}
