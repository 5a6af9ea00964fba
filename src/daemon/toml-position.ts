/**
 * Where in a TOML file each key and each array element stands, so that an error can say so: the parser we use tells
 * places only for bad syntax. What comes in here has been parsed, so the syntax is known to be good and this walk over
 * it may be loose.
 */
import { Cursor } from '../base/cursor.ts'

export type TomlPath = readonly (string | number)[]

export interface TomlPosition {
  /** Both from 1. */
  readonly line: number
  readonly column: number
}

/** Finds the place of a key or element, or of the nearest thing around it. Made once for each file. */
export type TomlPositions = (path: TomlPath) => TomlPosition

export function indexPositions(text: string): TomlPositions {
  const walk = new Walk(text)
  walk.document()
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const offset = walk.offsets.get(keyOf(path.slice(0, length)))
      if (offset !== undefined) return positionOf(text, offset)
    }
    return { line: 1, column: 1 }
  }
}

function keyOf(path: TomlPath): string {
  return JSON.stringify(path)
}

function positionOf(text: string, offset: number): TomlPosition {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return { line, column: offset - before.lastIndexOf('\n') }
}

const blank = /(?:[ \t\r\n]|#[^\n]*)+/y
const bareKey = /[A-Za-z0-9_-]+/y
const basicString = /"(?:[^"\\\n]|\\.)*"/y
const literalString = /'[^'\n]*'/y
const longBasicString = /"""(?:[^\\]|\\.)*?"""+/sy
const longLiteralString = /'''.*?'''+/sy
/** A number, date or boolean. */
const scalar = /[^,\]}#\n]+/y

class Walk {
  readonly offsets = new Map<string, number>()
  readonly #cursor: Cursor
  readonly #arrays = new Map<string, number>()

  constructor(text: string) {
    this.#cursor = new Cursor(text)
  }

  document(): void {
    const cursor = this.#cursor
    let table: TomlPath = []
    for (;;) {
      cursor.match(blank)
      if (cursor.atEnd) return
      const start = cursor.position
      if (cursor.accept('[[')) table = this.#element(this.#keys(']]'), start)
      else if (cursor.accept('[')) this.#note((table = this.#keys(']')), start)
      else this.#pair(table)
      // Whatever this walk does not understand must not stop it for ever.
      if (cursor.position === start) cursor.position++
    }
  }

  #note(path: TomlPath, offset: number): void {
    const key = keyOf(path)
    if (!this.offsets.has(key)) this.offsets.set(key, offset)
  }

  /** `[[name]]` opens one more element of an array of tables. */
  #element(path: TomlPath, offset: number): TomlPath {
    const count = this.#arrays.get(keyOf(path)) ?? 0
    this.#arrays.set(keyOf(path), count + 1)
    const element = [...path, count]
    this.#note(element, offset)
    return element
  }

  #keys(end: string): string[] {
    const cursor = this.#cursor
    const keys: string[] = []
    while (!cursor.atEnd && !cursor.accept(end)) {
      cursor.match(blank)
      const key = cursor.match(bareKey) ?? this.#quoted()
      if (key !== null) keys.push(key)
      else if (!cursor.accept(end)) cursor.position++
      else break
    }
    return keys
  }

  #quoted(): string | null {
    const basic = this.#cursor.match(basicString)
    if (basic !== null) return basic.slice(1, -1)
    return this.#cursor.match(literalString)?.slice(1, -1) ?? null
  }

  #pair(table: TomlPath): void {
    const start = this.#cursor.position
    const path = [...table, ...this.#keys('=')]
    this.#note(path, start)
    this.#value(path)
  }

  #value(path: TomlPath): void {
    const cursor = this.#cursor
    cursor.match(blank)
    if (cursor.match(longBasicString) !== null || cursor.match(longLiteralString) !== null) return
    if (this.#quoted() !== null) return
    if (cursor.accept('[')) this.#list(path)
    else if (cursor.accept('{')) this.#inlineTable(path)
    else cursor.match(scalar)
  }

  #list(path: TomlPath): void {
    const cursor = this.#cursor
    for (let index = 0; !cursor.atEnd; ) {
      cursor.match(blank)
      if (cursor.accept(']')) return
      if (cursor.accept(',')) continue
      this.#note([...path, index], cursor.position)
      this.#value([...path, index++])
    }
  }

  #inlineTable(path: TomlPath): void {
    const cursor = this.#cursor
    while (!cursor.atEnd) {
      cursor.match(blank)
      if (cursor.accept('}')) return
      if (cursor.accept(',')) continue
      const start = cursor.position
      this.#pair(path)
      if (cursor.position === start) return
    }
  }
}
