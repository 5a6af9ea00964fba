/** One message of an mbox back to what was mailed: fields of the mbox taken out, `>From ` unquoted, CRLF. */
import { ToCrlf } from './line-ends.ts'
import { headerEnd, MboxFields } from './mbox-fields.ts'

/**
 * How `From ` at the beginning of a line was kept from ending the message. `mboxrd` puts `>` before `From ` and before
 * what is quoted already, so it can be undone; `mboxo` quotes `From ` alone.
 */
export type Quoting = 'mboxrd' | 'mboxo'

const nothing = Buffer.alloc(0)
const quotedFrom = Buffer.from('>From ')
const QUOTE = 62
const LF = 10

/** Takes the lines of one message between its `From ` line and the empty line before the next one. */
export class MboxUnpacker {
  readonly fields = new MboxFields()
  readonly #quoting: Quoting
  readonly #crlf = new ToCrlf()
  #inHeader = true
  /** The last two octets of a message whose last line end is the mbox's; never given away. */
  #held: Buffer = nothing

  constructor(quoting: Quoting) {
    this.#quoting = quoting
  }

  /** @param lines Whole lines, except when one is very long. They may be changed by nobody afterwards. */
  *push(lines: Buffer): Generator<Uint8Array> {
    let body = lines
    if (this.#inHeader) {
      const end = headerEnd(lines)
      const header = (end < 0 ? lines : lines.subarray(0, end)).toString('latin1')
      let kept = this.fields.takeFrom(header)
      if (end >= 0) {
        this.#inHeader = false
        if (this.fields.shape.headerless) kept = kept.replace(/\r?\n$/, '')
      }
      // The usual case: nothing to take out, so nothing to copy.
      if (kept !== header) yield* this.#convert(Buffer.from(kept, 'latin1'))
      else yield* this.#convert(end < 0 ? lines : lines.subarray(0, end))
      body = end < 0 ? nothing : lines.subarray(end)
    }
    yield* this.#convert(body)
  }

  *#convert(lines: Buffer): Generator<Uint8Array> {
    let from = 0
    for (const quote of this.#quotes(lines)) {
      if (quote > from) yield* this.#send(lines.subarray(from, quote))
      from = quote + 1
    }
    if (from < lines.length) yield* this.#send(from === 0 ? lines : lines.subarray(from))
  }

  /** Where a `>` has to go. */
  *#quotes(lines: Buffer): Generator<number> {
    let hit = lines.indexOf(quotedFrom)
    while (hit >= 0) {
      let start = hit
      if (this.#quoting === 'mboxrd') while (start > 0 && lines[start - 1] === QUOTE) start--
      if (start === 0 || lines[start - 1] === LF) yield start
      hit = lines.indexOf(quotedFrom, hit + quotedFrom.length)
    }
  }

  *#send(octets: Buffer): Generator<Uint8Array> {
    const converted = this.#crlf.push(octets)
    if (!this.fields.shape.unterminated) {
      yield converted
      return
    }
    const all = Buffer.concat([this.#held, converted])
    const cut = Math.max(0, all.length - 2)
    this.#held = Buffer.from(all.subarray(cut))
    if (cut > 0) yield all.subarray(0, cut)
  }
}
