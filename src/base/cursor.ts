/** Walks along one line of octets, one char per octet, from left to right. */
export class Cursor {
  readonly text: string
  position = 0

  constructor(text: string) {
    this.text = text
  }

  get atEnd(): boolean {
    return this.position >= this.text.length
  }

  /** The char at the position, or '' at the end. */
  get next(): string {
    return this.text.charAt(this.position)
  }

  get passed(): string {
    return this.text.slice(0, this.position)
  }

  get rest(): string {
    return this.text.slice(this.position)
  }

  /** Passes the given text if it comes next, ASCII case ignored. */
  accept(expected: string): boolean {
    const found = this.text.slice(this.position, this.position + expected.length)
    if (found !== expected && found.toUpperCase() !== expected.toUpperCase()) return false
    this.position += expected.length
    return true
  }

  skipSpaces(): void {
    while (this.next === ' ') this.position++
  }

  /** Passes what the sticky pattern matches here; null, and no move, when it does not. */
  match(sticky: RegExp): string | null {
    sticky.lastIndex = this.position
    const found = sticky.exec(this.text)
    if (found === null) return null
    this.position += found[0].length
    return found[0]
  }
}
