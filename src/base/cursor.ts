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
    const end = this.position + expected.length
    const found =
      this.text.startsWith(expected, this.position) ||
      this.text.slice(this.position, end).toUpperCase() === expected.toUpperCase()
    if (found) this.position = end
    return found
  }

  skipSpaces(): void {
    while (this.next === ' ') this.position++
  }

  /** Passes what the sticky pattern matches here; null, and no move, when it does not. */
  match(sticky: RegExp): string | null {
    return this.groups(sticky)?.[0] ?? null
  }

  /** As `match`, with the groups of the pattern. */
  groups(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.position
    const found = sticky.exec(this.text)
    if (found !== null) this.position += found[0].length
    return found
  }
}
