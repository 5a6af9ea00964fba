/**
 * Cuts what a client sends into commands: lines ended by CRLF, with literals between them, RFC 3501 §4.3 and RFC 7888.
 *
 * What holds, whatever comes: the same octets cut anywhere give the same events; an octet that belongs to a literal,
 * taken or refused, is never read as a command; memory stays within the bound on lines plus the literals that were
 * allowed to be held. A line ended by a bare LF ends the conversation, because whether it ends a line is what
 * two programs could be made to disagree about.
 */

/** One command as it came, before its grammar is looked at. */
export interface FramedCommand {
  /** The text before, between and after the literals, one char per octet, announcements and CRLFs removed. */
  readonly texts: readonly string[]
  /** One fewer than `texts`. */
  readonly literals: readonly Literal[]
}

export interface Literal {
  readonly octets: number
  /** One char per octet; null when it went elsewhere while it arrived. */
  readonly text: string | null
}

export interface Announcement {
  /** Infinity when the number is beyond counting. */
  readonly octets: number
  /** The client waits for our `+`; otherwise the octets are already on their way, RFC 7888 §4. */
  readonly synchronising: boolean
}

export type FramingEvent =
  | { readonly kind: 'more' }
  /** Call `hold`, `stream`, `skip` or `drop` before asking for more. */
  | { readonly kind: 'literal'; readonly announced: Announcement; readonly command: FramedCommand }
  /** Octets of a literal that is streamed; a literal of no octets gives one empty last chunk. */
  | { readonly kind: 'chunk'; readonly octets: Uint8Array; readonly last: boolean }
  | { readonly kind: 'command'; readonly command: FramedCommand }
  /** A command that was thrown away to its very end. `start` is how it began, to find its tag. */
  | { readonly kind: 'skipped'; readonly reason: 'line-too-long' | 'literal'; readonly start: string }
  | { readonly kind: 'bare-lf' }

export type LineEvent =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'more' | 'too-long' | 'bare-lf' }

type Mode = 'line' | 'decide' | 'hold' | 'stream' | 'skip'

const announcement = /\{([0-9]+)(\+?)\}$/
/** Kept of a line that is too long: its start for the tag, its end for an announcement. */
const startOctets = 200
const endOctets = 64

export class Framing {
  readonly #maxLineOctets: number
  #buffer: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  /** Octets of the buffer that are known to hold no LF. */
  #searched = 0
  #mode: Mode = 'line'
  #texts: string[] = []
  #literals: Literal[] = []
  #lineOctets = 0
  #held: Buffer[] = []
  /** Octets of the present literal: all, and those still to come. */
  #literalOctets = 0
  #leftOctets = 0
  /** Why the present command is being thrown away. */
  #skipping: 'line-too-long' | 'literal' | null = null
  /** Start and end of a line over the bound; null while the line is within it. */
  #overlong: { start: string; end: string } | null = null

  /** @param maxLineOctets Bound on all the text of one command, literals not counted. */
  constructor(maxLineOctets: number) {
    this.#maxLineOctets = maxLineOctets
  }

  get bufferedOctets(): number {
    return this.#buffer.length
  }

  /** Whether a command has begun and not ended. */
  get midCommand(): boolean {
    return (
      this.#buffer.length > 0 || this.#mode !== 'line' || this.#texts.length > 0 || this.#overlong !== null
    )
  }

  push(chunk: Uint8Array): void {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#buffer = this.#buffer.length === 0 ? octets : Buffer.concat([this.#buffer, octets])
  }

  /** Forgets everything not read yet: what came in the clear does not count after TLS, RFC 3501 §6.2.1. */
  discard(): void {
    this.#buffer = Buffer.alloc(0)
    this.#searched = 0
    this.#reset()
  }

  /** Takes the announced literal into memory. */
  hold(): void {
    this.#mode = 'hold'
  }

  /** Gives the announced literal out in chunks as it comes. */
  stream(): void {
    this.#mode = 'stream'
  }

  /** Throws the announced literal away, which is already on its way, and the rest of its command. */
  skip(): void {
    this.#mode = 'skip'
    this.#skipping = 'literal'
  }

  /** Forgets the command whose literal will not come, because the client heard NO instead of `+`. */
  drop(): void {
    this.#reset()
  }

  /** The next event. */
  next(): FramingEvent {
    for (;;) {
      if (this.#mode === 'decide') throw new Error('A literal was announced and not decided about')
      if (this.#mode === 'stream') return this.#nextChunk()
      if (this.#mode === 'hold' || this.#mode === 'skip') {
        if (!this.#passLiteral()) return { kind: 'more' }
      }
      const line = this.#readLine()
      if (line.kind !== 'line') return line
      const event = this.#endLine(line.line)
      if (event !== null) return event
    }
  }

  /** A line that is no command: the answer to a continuation, such as SASL or DONE. Literals mean nothing in it. */
  nextLine(): LineEvent {
    const line = this.#readLine()
    if (line.kind !== 'line' || this.#overlong === null) return line
    this.#overlong = null
    return { kind: 'too-long' }
  }

  /** What a complete line means; null to go on reading. */
  #endLine(line: string): FramingEvent | null {
    const overlong = this.#overlong
    this.#overlong = null
    if (this.#texts.length === 0 && overlong !== null) this.#texts.push(overlong.start)
    if (overlong !== null) this.#skipping ??= 'line-too-long'
    const found = announcement.exec(overlong?.end ?? line)
    const announced = found && { octets: Number(found[1]), synchronising: found[2] === '' }
    if (this.#skipping !== null) {
      // A literal behind what is thrown away is thrown away too, or its octets would be read as commands.
      if (announced !== null && !announced.synchronising) {
        this.#expect(announced.octets)
        this.#mode = 'skip'
        return null
      }
      const event = { kind: 'skipped', reason: this.#skipping, start: this.#texts[0] ?? line } as const
      this.#reset()
      return event
    }
    if (announced === null) {
      this.#texts.push(line)
      const event = { kind: 'command', command: { texts: this.#texts, literals: this.#literals } } as const
      this.#reset()
      return event
    }
    this.#texts.push(line.slice(0, found!.index))
    this.#expect(announced.octets)
    this.#mode = 'decide'
    return { kind: 'literal', announced, command: { texts: this.#texts, literals: this.#literals } }
  }

  #expect(octets: number): void {
    this.#literalOctets = octets
    this.#leftOctets = octets
  }

  #nextChunk(): FramingEvent {
    if (this.#leftOctets > 0 && this.#buffer.length === 0) return { kind: 'more' }
    const octets = this.#take()
    if (this.#leftOctets > 0) return { kind: 'chunk', octets, last: false }
    this.#literals.push({ octets: this.#literalOctets, text: null })
    this.#mode = 'line'
    return { kind: 'chunk', octets, last: true }
  }

  /** @returns Whether the literal has come to its end. */
  #passLiteral(): boolean {
    const octets = this.#take()
    if (this.#mode === 'hold') this.#held.push(octets)
    if (this.#leftOctets > 0) return false
    if (this.#mode === 'hold') {
      this.#literals.push({ octets: this.#literalOctets, text: Buffer.concat(this.#held).toString('latin1') })
    }
    this.#held = []
    this.#mode = 'line'
    return true
  }

  /** As much of the present literal as has come. */
  #take(): Buffer {
    const octets = this.#buffer.subarray(0, this.#leftOctets)
    this.#buffer = this.#buffer.subarray(octets.length)
    this.#leftOctets -= octets.length
    return octets
  }

  /** The next line within the bound, or its remains in `#overlong` when it was longer. */
  #readLine(): { readonly kind: 'line'; readonly line: string } | { readonly kind: 'more' | 'bare-lf' } {
    const lf = this.#buffer.indexOf(10, this.#searched)
    const end = lf < 0 ? this.#buffer.length : lf + 1
    const bound = this.#maxLineOctets - this.#lineOctets
    // CRLF is not counted, and before it has come a CR may be half of it.
    if (this.#overlong !== null || end > bound + 2) this.#shorten(end)
    if (lf < 0) {
      this.#searched = this.#buffer.length
      return { kind: 'more' }
    }
    const text = this.#overlong?.end ?? this.#buffer.toString('latin1', 0, end)
    if (this.#overlong === null) this.#buffer = this.#buffer.subarray(end)
    this.#searched = 0
    if (!text.endsWith('\r\n')) return { kind: 'bare-lf' }
    if (this.#overlong !== null) this.#overlong.end = text.slice(0, -2)
    this.#lineOctets += text.length - 2
    return { kind: 'line', line: text.slice(0, -2) }
  }

  /** Throws away the middle of a line that is too long. */
  #shorten(end: number): void {
    const piece = this.#buffer.toString('latin1', 0, end)
    const previous = this.#overlong ?? { start: '', end: '' }
    this.#overlong = {
      start: (previous.start + piece.slice(0, startOctets)).slice(0, startOctets),
      end: (previous.end + piece.slice(-endOctets)).slice(-endOctets),
    }
    this.#buffer = this.#buffer.subarray(end)
    this.#searched = 0
  }

  #reset(): void {
    this.#mode = 'line'
    this.#texts = []
    this.#literals = []
    this.#lineOctets = 0
    this.#held = []
    this.#leftOctets = 0
    this.#skipping = null
    this.#overlong = null
  }
}
