/**
 * Turns parts whose Content-Transfer-Encoding is binary into base64 while a message streams past: what comes out has
 * lines, and every octet of such a part is preserved (RFC 3030 §3, RFC 2045 §6).
 *
 * Everything else passes as it is. Multiparts and messages that are said to be binary become 8bit, since what is in them
 * is (RFC 2045 §6.4). Where the stream is cut makes no difference.
 */
import { latin1, parseHeader } from './header.ts'
import { parameterValue, parseContentType, parseToken } from './parameters.ts'

/** `header`: of the message or of a part. `through`, `encode`: a body, up to the next delimiter. `delimiter`: its line. */
type Mode = 'header' | 'through' | 'encode' | 'delimiter'

const lineEnd = Buffer.from('\r\n')
const nothing = Buffer.alloc(0)
/** 76 characters, RFC 2045 §6.8. */
const lineOctets = 57
/** A boundary this long is none: RFC 2046 §5.1.1 allows 70. */
const boundaryOctets = 900
/** More than any message may have: what lies deeper passes as it is. */
const nestingMax = 100

export class BinaryEncoder {
  readonly #maxHeaderOctets: number
  #mode: Mode = 'header'
  #held: Buffer = nothing
  /** Octets at the beginning of `#held` that have gone out already: the empty line before a body. */
  #gone = 0
  /** Of the part that is encoded: less than a line of it. */
  #remainder: Buffer = nothing
  #linesBegun = false
  /** What follows a delimiter: the closing one is followed by no part. */
  #closing = false
  /** From the outermost inwards. */
  #boundaries: Buffer[] = []
  #out: Buffer[] = []

  /** @param maxHeaderOctets A longer header passes, and what follows it, as it is: the message is refused for it anyway. */
  constructor(maxHeaderOctets: number) {
    this.#maxHeaderOctets = maxHeaderOctets
  }

  /** @returns What may go on, in order. */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#held = this.#held.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#held, chunk])
    while (this.#step());
    return this.#taken()
  }

  finish(): Uint8Array[] {
    const rest = this.#held.subarray(this.#gone)
    this.#held = nothing
    if (this.#mode === 'encode') {
      this.#encode(rest)
      this.#endEncoding()
    } else this.#emit(this.#mode === 'header' ? this.#changedHeader(rest).header : rest)
    return this.#taken()
  }

  #taken(): Uint8Array[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #emit(octets: Buffer): void {
    if (octets.length > 0) this.#out.push(octets)
  }

  /** @returns False when more must come. */
  #step(): boolean {
    if (this.#mode === 'header') return this.#readHeader()
    return this.#mode === 'delimiter' ? this.#readDelimiter() : this.#readBody()
  }

  #readHeader(): boolean {
    const held = this.#held
    const empty = held.length >= 2 && held[0] === 13 && held[1] === 10
    const found = empty ? 0 : held.indexOf('\r\n\r\n')
    if (found < 0 && held.length <= this.#maxHeaderOctets) return false
    if (found < 0 || found + 4 > this.#maxHeaderOctets) {
      this.#boundaries = []
      this.#mode = 'through'
      return true
    }
    // The CRLF of the last field goes with the header; that of the empty line may belong to a delimiter after it.
    const end = empty ? 0 : found + 2
    const { header, body } = this.#changedHeader(held.subarray(0, end))
    this.#emit(header)
    this.#emit(lineEnd)
    this.#held = held.subarray(end)
    this.#gone = 2
    if (body === 'header') {
      this.#held = this.#held.subarray(2)
      this.#gone = 0
    }
    this.#mode = body
    return true
  }

  /** Reads a header, and changes it where that is needed. */
  #changedHeader(header: Buffer): { readonly header: Buffer; readonly body: Mode } {
    const { fields } = parseHeader(latin1(header))
    const value = (wanted: string): string =>
      fields.find(({ name }) => name.toLowerCase() === wanted)?.value ?? ''
    const type = parseContentType(value('content-type'))
    const boundary =
      type?.type === 'multipart' ? boundaryOf(parameterValue(type.parameters, 'boundary')) : null
    if (boundary !== null && this.#boundaries.length < nestingMax) this.#boundaries.push(boundary)
    const composite = boundary !== null || (type?.type === 'message' && type.subtype === 'rfc822')
    const body: Mode = boundary === null && composite ? 'header' : 'through'
    if (parseToken(value('content-transfer-encoding')) !== 'binary') return { header, body }
    const pieces: Buffer[] = []
    let from = 0
    for (const { name, offset, octets } of fields) {
      if (name.toLowerCase() !== 'content-transfer-encoding') continue
      const written = `Content-Transfer-Encoding: ${composite ? '8bit' : 'base64'}\r\n`
      pieces.push(header.subarray(from, offset), Buffer.from(written))
      from = offset + octets
    }
    return {
      header: Buffer.concat([...pieces, header.subarray(from)]),
      body: composite ? body : 'encode',
    }
  }

  #readBody(): boolean {
    const held = this.#held
    const longest = Math.max(0, ...this.#boundaries.map((boundary) => boundary.length))
    let at = this.#boundaries.length === 0 ? -1 : held.indexOf('\r\n--')
    while (at >= 0) {
      // Whether a longer boundary stands there lies in octets that have not come yet.
      if (at + 4 + longest > held.length) return this.#pass(at)
      const level = this.#boundaryAt(at + 4)
      if (level !== null) {
        this.#pass(at)
        this.#endEncoding()
        this.#meet(level)
        return true
      }
      at = held.indexOf('\r\n--', at + 2)
    }
    return this.#pass(this.#boundaries.length === 0 ? held.length : Math.max(0, held.length - 3))
  }

  /** Which boundary stands there, the longest and of equal ones the innermost: RFC 2046 §5.1.1. */
  #boundaryAt(at: number): number | null {
    let found: number | null = null
    for (const [level, boundary] of this.#boundaries.entries()) {
      if (found !== null && boundary.length < this.#boundaries[found]!.length) continue
      if (this.#held.subarray(at, at + boundary.length).equals(boundary)) found = level
    }
    return found
  }

  /** Octets of the body up to a place. @returns False. */
  #pass(end: number): false {
    const octets = this.#held.subarray(this.#gone, Math.max(this.#gone, end))
    this.#held = this.#held.subarray(Math.min(end, this.#held.length))
    this.#gone = Math.max(0, this.#gone - end)
    if (this.#mode === 'encode') this.#encode(octets)
    else this.#emit(octets)
    return false
  }

  /** A delimiter stands at the beginning of what is held. */
  #meet(level: number): void {
    const boundary = this.#boundaries[level]!
    this.#boundaries = this.#boundaries.slice(0, level + 1)
    this.#emit(this.#held.subarray(this.#gone, 4 + boundary.length))
    this.#held = this.#held.subarray(4 + boundary.length)
    this.#gone = 0
    this.#mode = 'delimiter'
  }

  /** The rest of its line. */
  #readDelimiter(): boolean {
    const held = this.#held
    if (held.length < 2) return false
    const closing = this.#closing || (held[0] === 45 && held[1] === 45)
    const end = held.indexOf(lineEnd)
    if (end < 0) {
      this.#closing = closing
      // Transport padding of any length; a CR may begin the end of it. The dashes have been looked at.
      this.#emit(held.subarray(0, held.length - 1))
      this.#held = held.subarray(held.length - 1)
      return false
    }
    this.#closing = false
    if (closing) {
      this.#boundaries.pop()
      // Its CRLF may begin the delimiter of what is around it.
      this.#emit(held.subarray(0, end))
      this.#held = held.subarray(end)
      this.#mode = 'through'
      return true
    }
    this.#emit(held.subarray(0, end + 2))
    this.#held = held.subarray(end + 2)
    this.#mode = 'header'
    return true
  }

  #encode(octets: Buffer): void {
    const all = this.#remainder.length === 0 ? octets : Buffer.concat([this.#remainder, octets])
    const whole = all.length - (all.length % lineOctets)
    this.#remainder = Buffer.from(all.subarray(whole))
    this.#write(all.subarray(0, whole))
  }

  #endEncoding(): void {
    if (this.#mode === 'encode') this.#write(this.#remainder)
    this.#remainder = nothing
    this.#linesBegun = false
  }

  #write(octets: Buffer): void {
    if (octets.length === 0) return
    const lines = octets
      .toString('base64')
      .match(/.{1,76}/g)!
      .join('\r\n')
    this.#emit(Buffer.from(this.#linesBegun ? `\r\n${lines}` : lines, 'latin1'))
    this.#linesBegun = true
  }
}

function boundaryOf(value: string | null): Buffer | null {
  const boundary = Buffer.from(value?.trimEnd() ?? '', 'latin1')
  return boundary.length === 0 || boundary.length > boundaryOctets ? null : boundary
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}
