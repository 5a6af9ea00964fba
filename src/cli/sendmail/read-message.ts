import { ToCrlf } from '../../transfer/line-ends.ts'

const LF = 10
const CR = 13
const dot = 46
/** As much of the first line as tells what it is. */
const fromLine = Buffer.from('From ')

/**
 * What a program pipes into sendmail, as a message: lines end with CRLF, the last one too; the `From ` line of an mbox at
 * the beginning is no part of it; and a line with a dot alone ends it, unless dots are text.
 */
export class SendmailInput {
  readonly #crlf = new ToCrlf()
  readonly #dotsAreText: boolean
  /** The line that is being read, while it may still be a dot alone; or the first one, while it may be `From `. */
  #held: Buffer = Buffer.alloc(0)
  #mode: 'first' | 'fromLine' | 'lineStart' | 'line' | 'ended' = 'first'
  #last = LF

  constructor(dotsAreText: boolean) {
    this.#dotsAreText = dotsAreText
  }

  /** Whether what follows is not read any more. */
  get ended(): boolean {
    return this.#mode === 'ended'
  }

  push(piece: Uint8Array): Uint8Array {
    return this.#written(this.#cut(Buffer.concat([this.#held, piece]), false))
  }

  finish(): Uint8Array {
    const rest = this.#written(this.#cut(this.#held, true))
    const missing = this.#last === LF ? [] : this.#last === CR ? [LF] : [CR, LF]
    return Buffer.concat([rest, Buffer.from(missing)])
  }

  #written(octets: Uint8Array): Uint8Array {
    const out = this.#crlf.push(octets)
    this.#last = out.at(-1) ?? this.#last
    return out
  }

  /** Holds back the beginning of a line as long as it decides something. @param final Nothing more comes. */
  #cut(octets: Buffer, final: boolean): Buffer {
    const kept: Buffer[] = []
    let at = 0
    this.#held = Buffer.alloc(0)
    while (at < octets.length && this.#mode !== 'ended') {
      const rest = octets.subarray(at)
      if (this.#mode === 'first') {
        const begins = fromLine.subarray(0, rest.length).equals(rest.subarray(0, fromLine.length))
        if (begins && rest.length < fromLine.length && !final) return this.#hold(rest, kept)
        this.#mode = begins && rest.length >= fromLine.length ? 'fromLine' : 'lineStart'
        continue
      }
      if (this.#mode === 'lineStart' && !this.#dotsAreText && rest[0] === dot) {
        const lone = isLoneDot(rest, final)
        if (lone === null) return this.#hold(rest, kept)
        if (lone) {
          this.#mode = 'ended'
          break
        }
      }
      const end = rest.indexOf(LF)
      const line = end < 0 ? rest : rest.subarray(0, end + 1)
      if (this.#mode !== 'fromLine') kept.push(line)
      const skipped = this.#mode === 'fromLine' && end < 0
      this.#mode = end >= 0 ? 'lineStart' : skipped ? 'fromLine' : 'line'
      at += line.length
    }
    return Buffer.concat(kept)
  }

  #hold(rest: Buffer, kept: readonly Buffer[]): Buffer {
    this.#held = Buffer.from(rest)
    return Buffer.concat(kept)
  }
}

/** @returns Null: it takes more to know. */
function isLoneDot(line: Buffer, final: boolean): boolean | null {
  if (line[1] === LF || (line[1] === CR && line[2] === LF)) return true
  const short = line.length === 1 || (line.length === 2 && line[1] === CR)
  return short ? (final ? true : null) : false
}
