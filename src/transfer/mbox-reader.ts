/**
 * Cuts an mbox of any size into its messages, in memory of about one chunk.
 *
 * A line that begins with `From ` and carries a date begins a message when an empty line stands before it, or a header
 * field after it: programs that forget the empty line exist, and so do texts with such a line that nobody quoted.
 */
import { isFieldLine } from '../message/header.ts'
import { type FromLine, fromLineOctets, parseFromLine } from './from-line.ts'

export type MboxPiece =
  /** @param offset Of its `From ` line. */
  | { readonly kind: 'message'; readonly offset: number; readonly from: FromLine }
  /** Whole lines of the message, unless one is longer than a chunk. */
  | { readonly kind: 'lines'; readonly lines: Buffer }
  /** The message is over. @param end Where the next one begins, or the file ends. */
  | { readonly kind: 'end'; readonly end: number }
  /** What stands before the first message and is none. */
  | { readonly kind: 'damaged'; readonly offset: number; readonly end: number }

/** Reads octets of a file; short only at its end. */
export type ReadAt = (position: number, octets: number) => Promise<Buffer>

const chunkOctets = 1_048_576
/** What must be at hand behind a line that may begin a message: that line and the next. */
const lookAhead = 2 * fromLineOctets
const separator = Buffer.from('\nFrom ')
const LF = 10
const CR = 13

/** @param offset Where to begin: 0, or an `end` of an earlier reading. */
export async function* readMbox(
  read: ReadAt,
  offset: number,
  chunk = chunkOctets,
): AsyncGenerator<MboxPiece> {
  const cutter = new MboxCutter(offset)
  let position = offset
  for (let ended = false; !ended; ) {
    const octets = await read(position, chunk)
    position += octets.length
    ended = octets.length < chunk
    yield* cutter.push(octets, ended)
  }
}

class MboxCutter {
  #buffer: Buffer = Buffer.alloc(0)
  /** Offset of the buffer in the file. */
  #offset: number
  #open: 'nothing' | 'message' | 'damaged' = 'nothing'
  #damagedAt = 0
  /** The line before the buffer was empty, or there is none. */
  #afterEmptyLine = true
  /** False while a line goes on that has been given away in part. */
  #startsLine = true

  constructor(offset: number) {
    this.#offset = offset
  }

  *push(octets: Buffer, last: boolean): Generator<MboxPiece> {
    this.#buffer = this.#buffer.length === 0 ? octets : Buffer.concat([this.#buffer, octets])
    for (;;) {
      const found = this.#findStart(last)
      if (found === null) break
      if (found.at > 0 || this.#open !== 'nothing') yield* this.#release(found.at, true)
      const lineEnd = this.#buffer.indexOf(LF)
      yield { kind: 'message', offset: this.#offset, from: found.from }
      this.#open = 'message'
      this.#drop(lineEnd < 0 ? this.#buffer.length : lineEnd + 1)
      this.#afterEmptyLine = false
    }
    if (last) {
      yield* this.#release(this.#buffer.length, true)
      return
    }
    // Keep back what may belong to a start that cannot be judged yet, and an empty line that may stand before one.
    yield* this.#release(this.#settled(), false)
  }

  /** The first line of the buffer that begins a message; null when there is none, or none that can be judged yet. */
  #findStart(last: boolean): { readonly at: number; readonly from: FromLine } | null {
    for (let at = this.#candidate(0); at >= 0; at = this.#candidate(at)) {
      if (!last && this.#buffer.length - at < lookAhead) return null
      const from = this.#judge(at)
      if (from !== null) return { at, from }
      at++
    }
    return null
  }

  /** Where a line begins with `From `, from a point on. */
  #candidate(start: number): number {
    if (start === 0 && this.#startsLine && this.#buffer.subarray(0, 5).equals(separator.subarray(1))) return 0
    const hit = this.#buffer.indexOf(separator, Math.max(0, start - 1))
    return hit < 0 ? -1 : hit + 1
  }

  #judge(at: number): FromLine | null {
    const text = this.#buffer.toString('latin1', at, at + lookAhead)
    const [line = '', next = ''] = text.split('\n', 2)
    const from = parseFromLine(line)
    if (from === null) return null
    return this.#emptyBefore(at) || isFieldLine(next) ? from : null
  }

  #emptyBefore(at: number): boolean {
    if (at === 0) return this.#afterEmptyLine
    return this.#emptyLineEndingAt(at) >= 0
  }

  /** Where the empty line begins that ends at a point; -1 when that line is not empty. */
  #emptyLineEndingAt(end: number): number {
    const buffer = this.#buffer
    if (end < 1 || buffer[end - 1] !== LF) return -1
    const start = end > 1 && buffer[end - 2] === CR ? end - 2 : end - 1
    const isLineStart = start === 0 ? this.#startsLine : buffer[start - 1] === LF
    return isLineStart ? start : -1
  }

  /** Up to where the buffer can be given away: whole lines, without an empty one at their end. */
  #settled(): number {
    const buffer = this.#buffer
    let end = buffer.lastIndexOf(LF) + 1
    const candidate = this.#lastCandidate()
    if (candidate >= 0 && candidate < end) end = candidate
    if (end === 0) {
      // A line of a megabyte is passed on in pieces.
      return candidate === 0 || buffer.length < chunkOctets ? 0 : buffer.length - separator.length
    }
    const empty = this.#emptyLineEndingAt(end)
    return empty >= 0 ? empty : end
  }

  /** A line start near the end that could not be judged. */
  #lastCandidate(): number {
    let at = this.#candidate(0)
    while (at >= 0 && this.#buffer.length - at >= lookAhead) at = this.#candidate(at + 1)
    return at
  }

  /** Gives away what stands before a point. @param over Whether the message ends there. */
  *#release(end: number, over: boolean): Generator<MboxPiece> {
    if (this.#open === 'nothing' && end > 0) {
      this.#open = /\S/.test(this.#buffer.toString('latin1', 0, end)) ? 'damaged' : 'nothing'
      this.#damagedAt = this.#offset
    }
    const empty = over ? this.#emptyLineEndingAt(end) : -1
    const cut = empty >= 0 ? empty : end
    if (this.#open === 'message' && cut > 0) yield { kind: 'lines', lines: this.#buffer.subarray(0, cut) }
    if (end > 0) this.#drop(end)
    if (!over) return
    if (this.#open === 'message') yield { kind: 'end', end: this.#offset }
    if (this.#open === 'damaged') yield { kind: 'damaged', offset: this.#damagedAt, end: this.#offset }
    this.#open = 'nothing'
  }

  #drop(octets: number): void {
    this.#afterEmptyLine = this.#emptyLineEndingAt(octets) >= 0
    this.#startsLine = this.#buffer[octets - 1] === LF
    this.#offset += octets
    this.#buffer = this.#buffer.subarray(octets)
  }
}
