/** One message as it stands in an mbox: `From ` line, marks, LF, `From ` quoted as in mboxrd. */
import { formatFromLine } from './from-line.ts'
import type { Marks } from './keywords.ts'
import { LineCutter } from './line-cutter.ts'
import { ToLf } from './line-ends.ts'
import { beginsWithHeader, formatMboxFields, headerEnd, keepOwnFields } from './mbox-fields.ts'

const from = Buffer.from('From ')
const quote = Buffer.from('>')
const QUOTE = 62
const LF = 10
const CR = 13

export interface PackedMarks extends Marks {
  readonly internalDate: number
  /** False when the last octet is no LF. */
  readonly terminated: boolean
}

export class MboxPacker {
  readonly #marks: PackedMarks
  readonly #cutter = new LineCutter()
  readonly #lf = new ToLf()
  #state: 'first' | 'header' | 'body' = 'first'
  #last = LF

  constructor(marks: PackedMarks) {
    this.#marks = marks
  }

  *push(piece: Uint8Array): Generator<Uint8Array> {
    yield* this.#lines(this.#cutter.push(piece))
  }

  *finish(): Generator<Uint8Array> {
    yield* this.#lines(this.#cutter.finish())
    yield* this.#send(this.#lf.finish())
    // A lone CR at the end would become part of the line end; before CRLF it is left alone.
    const lineEnd = this.#marks.terminated ? '' : this.#last === CR ? '\r\n' : '\n'
    yield Buffer.from(`${lineEnd}\n`)
  }

  *#lines(lines: Buffer): Generator<Uint8Array> {
    if (lines.length === 0) return
    let body = lines
    if (this.#state === 'first') yield this.#top(lines)
    if (this.#state === 'header') {
      const end = headerEnd(lines)
      const header = end < 0 ? lines : lines.subarray(0, end)
      yield* this.#quote(Buffer.from(keepOwnFields(header.toString('latin1')), 'latin1'))
      if (end >= 0) this.#state = 'body'
      body = end < 0 ? lines.subarray(lines.length) : lines.subarray(end)
    }
    yield* this.#quote(body)
  }

  #top(lines: Buffer): Uint8Array {
    const text = lines.toString('latin1', 0, 65_536)
    const { internalDate, terminated, ...marks } = this.#marks
    const headerless = !beginsWithHeader(text)
    this.#state = headerless ? 'body' : 'header'
    const sender = /^return-path:[ \t]*<([^>\r\n]*)>/im.exec(text)?.[1] ?? ''
    const fields = formatMboxFields(marks, { headerless, unterminated: !terminated })
    return Buffer.from(`${formatFromLine(sender, internalDate)}\n${fields}`, 'latin1')
  }

  *#quote(lines: Buffer): Generator<Uint8Array> {
    let done = 0
    for (let hit = lines.indexOf(from); hit >= 0; hit = lines.indexOf(from, hit + from.length)) {
      let start = hit
      while (start > 0 && lines[start - 1] === QUOTE) start--
      if (start > 0 && lines[start - 1] !== LF) continue
      if (start > done) yield* this.#send(this.#lf.push(lines.subarray(done, start)))
      yield* this.#send(this.#lf.push(quote))
      done = start
    }
    if (done < lines.length) yield* this.#send(this.#lf.push(lines.subarray(done)))
  }

  *#send(octets: Uint8Array): Generator<Uint8Array> {
    if (octets.length === 0) return
    this.#last = octets[octets.length - 1]!
    yield octets
  }
}
