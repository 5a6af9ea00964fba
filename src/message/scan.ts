/**
 * Reads a message once, as it arrives, and keeps what all later readers need: where header and parts begin and end,
 * what they are, the envelope, and which forbidden octets there are.
 *
 * Only headers are held, within limits; a body passes through. Where the stream is cut makes no difference. Nothing
 * here throws: a message beyond a limit is described less deeply and `overLimit` says so.
 */
import { type Envelope, countAddresses, makeEnvelope } from './envelope.ts'
import { beginsHeader, type HeaderField, parseHeader } from './header.ts'
import { LineCounter, StopAt } from './line-counter.ts'
import { type ContentType, parameterValue } from './parameters.ts'
import {
  type Part,
  isIdentityEncoded,
  isMessage,
  isMultipart,
  makePart,
  plainText,
  withType,
} from './part.ts'

export interface ScanLimits {
  /** Octets of one header that are interpreted. */
  readonly headerOctets: number
  /** Fields of one header that are interpreted. */
  readonly headerFields: number
  /** Parts of the whole tree, the root counted. */
  readonly parts: number
  /** How many multiparts and messages may lie one inside the other. */
  readonly nesting: number
}

export const DEFAULT_SCAN_LIMITS: ScanLimits = {
  headerOctets: 262_144,
  headerFields: 1000,
  parts: 1000,
  nesting: 50,
}

/** The headers of all parts below the root may together be this many times `headerOctets`. */
const PART_HEADERS = 4

/** Addresses kept over all envelopes of one message. */
const ADDRESSES = 10_000

/** RFC 2046 §5.1.1 allows 70; a line of RFC 5322 §2.1.1 could hold no more than this. */
const BOUNDARY_OCTETS = 900

/** As much of a line as is needed to know what it is: a boundary with its dashes, or a field name. */
const PROBE_OCTETS = 1024

export interface MessageScan {
  readonly octets: number
  readonly lines: number
  /** Where the body begins, after the empty line. */
  readonly headerOctets: number
  /** False when the first line is no header field: then all of it is the body. */
  readonly hasHeader: boolean
  /** Of the message's own header, in order; `headerValues(scan, name)` gives their text. */
  readonly headerFields: readonly HeaderField[]
  /** Read from the header when it is first asked for: to a message that only passes through it does not matter. */
  readonly envelope: Envelope
  readonly root: Part
  /** An LF without CR before it, a CR without LF after it, NUL, octets above 127: anywhere in the message. */
  readonly bareLf: boolean
  readonly bareCr: boolean
  readonly nul: boolean
  readonly eightBit: boolean
  /** The first limit that was exceeded. */
  readonly overLimit: keyof ScanLimits | null
}

/** A part whose end has not been found yet. */
interface OpenPart {
  readonly part: Part
  /** Without its dashes. Null for what is no multipart, and after the closing delimiter. */
  boundary: Buffer | null
  /** LFs before its body. */
  readonly linesBefore: number
}

/**
 * What the next line start means. `first`: the message begins. `header`: a line of a header. `headerEnd`: the line
 * after the empty line. `delimiter`: the line after a delimiter. `body`: of no interest unless it is a delimiter.
 */
type Mode = 'first' | 'header' | 'headerEnd' | 'delimiter' | 'body'

const LF = 10
const CR = 13
const DASH = 45
const NOTHING = Buffer.alloc(0)
const NONE = -1
const UNDECIDED = -2

/** A class, since an object made with a getter of its own each time would be costly: docs/decisions/270. */
class Scan implements MessageScan {
  readonly octets: number
  readonly lines: number
  readonly headerOctets: number
  readonly hasHeader: boolean
  readonly headerFields: readonly HeaderField[]
  readonly root: Part
  readonly bareLf: boolean
  readonly bareCr: boolean
  readonly nul: boolean
  readonly eightBit: boolean
  readonly overLimit: keyof ScanLimits | null
  #envelope: Envelope | null

  constructor(facts: Omit<MessageScan, 'envelope'>, envelope: Envelope | null) {
    this.octets = facts.octets
    this.lines = facts.lines
    this.headerOctets = facts.headerOctets
    this.hasHeader = facts.hasHeader
    this.headerFields = facts.headerFields
    this.root = facts.root
    this.bareLf = facts.bareLf
    this.bareCr = facts.bareCr
    this.nul = facts.nul
    this.eightBit = facts.eightBit
    this.overLimit = facts.overLimit
    this.#envelope = envelope
  }

  get envelope(): Envelope {
    return (this.#envelope ??= makeEnvelope(this.headerFields, ADDRESSES))
  }
}

export class MessageScanner {
  readonly #limits: ScanLimits
  readonly #counter = new LineCounter()
  #mode: Mode = 'first'
  /** The chunk at hand and its offset in the message. */
  #chunk: Buffer = NOTHING
  #offset = 0
  /** When the stream stands at a line start that could not be decided: the octets of that line so far. */
  #pending: Buffer | null = NOTHING
  /** Three octets before that line start, and three before the chunk at hand, lowest last. */
  #beforePending = 0
  #beforeChunk = 0
  #ended = false
  /** From the root inwards. */
  readonly #open: OpenPart[] = []
  #longestBoundary = 0
  #parts = 0
  #addressesLeft = ADDRESSES
  #partHeaderOctetsLeft: number
  #headerOffset = 0
  #headerPieces: Buffer[] = []
  #headerKept = 0
  #root: Part | null = null
  #hasHeader = true
  #headerFields: HeaderField[] = []
  #envelope: Envelope | null = null
  #overLimit: keyof ScanLimits | null = null

  constructor(limits: ScanLimits = DEFAULT_SCAN_LIMITS) {
    this.#limits = limits
    this.#partHeaderOctetsLeft = this.#limits.headerOctets * PART_HEADERS
  }

  /** Takes the next octets of the message. They are not kept; the caller may reuse the buffer afterwards. */
  push(octets: Uint8Array): void {
    if (octets.length === 0) return
    const chunk = Buffer.isBuffer(octets)
      ? octets
      : Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    this.#chunk = chunk
    if (this.#pending !== null) this.#resume(this.#pending)
    // While a line is pending still, this chunk is only its continuation, without any line end.
    let at = this.#pending === null ? 0 : chunk.length
    if (this.#pending !== null) this.#counter.advance(chunk, 0, StopAt.none)
    while (at < chunk.length) {
      at = this.#counter.advance(chunk, at, this.#stopAt())
      if (at < 0) break
      if (at < chunk.length && this.#startLine(chunk, at, this.#offset + at)) continue
      this.#beforePending = this.#threeBefore(at)
      this.#pending = Buffer.from(chunk.subarray(at))
      if (at < chunk.length) this.#counter.advance(chunk, at, StopAt.none)
      break
    }
    this.#counter.endChunk(chunk)
    this.#keepHeader(chunk.length)
    this.#beforeChunk = this.#threeBefore(chunk.length)
    this.#offset += chunk.length
    this.#chunk = NOTHING
  }

  /** To be called once, after the last octet. */
  finish(): MessageScan {
    this.#ended = true
    this.#counter.endMessage()
    const pending = this.#pending ?? NOTHING
    if (pending.length > 0 || this.#mode === 'first')
      this.#startLine(pending, 0, this.#offset - pending.length)
    while (this.#mode === 'header' || this.#mode === 'headerEnd') this.#endHeader(this.#offset)
    this.#closeDownTo(0, this.#offset, this.#counter.endsWithLf, 0)
    const { lines, bareLf, bareCr, nul, eightBit, endsWithLf } = this.#counter
    const root = this.#root as Part
    const facts = {
      octets: this.#offset,
      lines: lines + (this.#offset > 0 && !endsWithLf ? 1 : 0),
      headerOctets: root.bodyOffset,
      hasHeader: this.#hasHeader,
      headerFields: this.#headerFields,
      root,
      bareLf,
      bareCr,
      nul,
      eightBit,
      overLimit: this.#overLimit,
    }
    return new Scan(facts, this.#envelope)
  }

  #stopAt(): StopAt {
    if (this.#mode !== 'body') return StopAt.everyLine
    return this.#longestBoundary > 0 ? StopAt.dash : StopAt.none
  }

  /** Tries again to decide the pending line, now that more octets are there. */
  #resume(pending: Buffer): void {
    const need = PROBE_OCTETS - pending.length
    const line = pending.length === 0 ? this.#chunk : Buffer.concat([pending, this.#chunk.subarray(0, need)])
    this.#pending = null
    if (!this.#startLine(line, 0, this.#offset - pending.length)) this.#pending = Buffer.from(line)
  }

  /**
   * Decides what the line is that begins at `line[at]`.
   *
   * @param offset Of that line in the message.
   * @returns False when more octets are needed to say.
   */
  #startLine(line: Buffer, at: number, offset: number): boolean {
    switch (this.#mode) {
      case 'first':
        if (!this.#startMessage(line, at)) return false
        return this.#startLine(line, at, offset)
      case 'headerEnd':
        this.#endHeader(offset)
        return this.#startLine(line, at, offset)
      case 'delimiter':
        this.#beginHeader(offset)
        return this.#startLine(line, at, offset)
      case 'header':
        if (line[at] === LF || (line[at] === CR && line[at + 1] === LF)) {
          this.#mode = 'headerEnd'
          return true
        }
        if (line[at] === CR && at + 1 >= line.length && !this.#ended) return false
    }
    if (line[at] !== DASH || this.#longestBoundary === 0) return true
    const level = this.#findBoundary(line, at)
    if (level === UNDECIDED) return false
    // A delimiter ends a part even within its header: then there was no body.
    if (level !== NONE) this.#delimiter(level, line, at, offset)
    return true
  }

  /** Decides whether the message has a header at all. */
  #startMessage(line: Buffer, at: number): boolean {
    const lf = line.indexOf(LF, at)
    if (lf < 0 && line.length - at < PROBE_OCTETS && !this.#ended) return false
    const text = line.toString('latin1', at, Math.min(lf < 0 ? line.length : lf, at + PROBE_OCTETS))
    this.#mode = 'header'
    this.#hasHeader = beginsHeader(text) || (lf >= 0 && (text === '' || text === '\r'))
    if (!this.#hasHeader) this.#endHeader(0)
    return true
  }

  #beginHeader(offset: number): void {
    this.#mode = 'header'
    this.#headerOffset = offset
    this.#headerPieces = []
    this.#headerKept = 0
  }

  /** Octets of the header at hand that may be interpreted. */
  #headerLimit(): number {
    const { headerOctets } = this.#limits
    return this.#root === null ? headerOctets : Math.min(headerOctets, this.#partHeaderOctetsLeft)
  }

  /** Copies what the chunk holds of the header at hand, up to index `end`. */
  #keepHeader(end: number): void {
    if (this.#mode === 'body' || this.#mode === 'delimiter') return
    const from = Math.max(0, this.#headerOffset - this.#offset)
    const most = this.#headerLimit() + 1 - this.#headerKept
    const piece = this.#chunk.subarray(from, Math.min(end, from + most))
    if (piece.length === 0) return
    this.#headerPieces.push(Buffer.from(piece))
    this.#headerKept += piece.length
  }

  /** The text of the header that ends at `end`, one char per octet, within the limit. */
  #takeHeader(end: number): string {
    const length = end - this.#headerOffset
    const limit = this.#headerLimit()
    if (length > limit) this.#overLimit ??= 'headerOctets'
    const kept = Math.min(length, limit)
    const from = this.#headerOffset - this.#offset
    let text: string
    if (this.#headerPieces.length === 0) text = this.#chunk.toString('latin1', from, from + kept)
    else {
      this.#headerPieces.push(this.#chunk.subarray(0, Math.max(0, kept - this.#headerKept)))
      text = Buffer.concat(this.#headerPieces).toString('latin1', 0, kept)
    }
    return kept === length ? text : text.slice(0, text.lastIndexOf('\n') + 1)
  }

  /** Ends the header at hand and opens its part: what follows at `bodyOffset` is the body. */
  #endHeader(bodyOffset: number): void {
    const text = this.#takeHeader(bodyOffset)
    const { fields, more } = parseHeader(text, this.#limits.headerFields, this.#headerOffset)
    if (more) this.#overLimit ??= 'headerFields'
    const parent = this.#open.at(-1)?.part
    const inDigest = parent !== undefined && isMultipart(parent) && parent.subtype === 'digest'
    const part = makePart(fields, this.#headerOffset, bodyOffset, inDigest)
    this.#parts++
    if (parent === undefined) {
      this.#root = part
      this.#headerFields = fields
    } else {
      parent.parts.push(part)
      this.#partHeaderOctetsLeft -= text.length
      if (isMessage(parent)) {
        // The outer ones have the first choice of the addresses that are kept.
        this.#envelope ??= this.#makeEnvelope(this.#headerFields)
        parent.message = { envelope: this.#makeEnvelope(fields) }
      }
    }
    this.#mode = 'body'
    this.#openPart(part)
  }

  #openPart(part: Part): void {
    const multipart = isMultipart(part)
    const message = isMessage(part) && isIdentityEncoded(part)
    const open: OpenPart = { part, boundary: null, linesBefore: this.#counter.lines }
    if (multipart || message) {
      const over =
        this.#open.length >= this.#limits.nesting ? 'nesting' : this.#fullOfParts() ? 'parts' : null
      if (over !== null) {
        this.#overLimit ??= over
        withType(part, opaque())
      } else if (message) this.#beginHeader(part.bodyOffset)
      else open.boundary = boundaryOf(part)
    }
    this.#open.push(open)
    this.#measureBoundaries()
  }

  #fullOfParts(): boolean {
    return this.#parts >= this.#limits.parts
  }

  #makeEnvelope(fields: readonly HeaderField[]): Envelope {
    const envelope = makeEnvelope(fields, this.#addressesLeft)
    this.#addressesLeft -= countAddresses(envelope)
    return envelope
  }

  #measureBoundaries(): void {
    this.#longestBoundary = 0
    for (const { boundary } of this.#open) {
      if (boundary !== null && boundary.length > this.#longestBoundary)
        this.#longestBoundary = boundary.length
    }
  }

  /**
   * RFC 2046 §5.1.1: a line is a delimiter when it begins with `--` and a boundary, whatever follows. So one boundary
   * may be the beginning of another: the longest counts, and of equal ones the innermost. A boundary further out ends
   * everything inside, closed or not.
   *
   * @returns The level in `#open`, `NONE`, or `UNDECIDED` when the line is cut too short.
   */
  #findBoundary(line: Buffer, at: number): number {
    const start = at + 2
    const short = line.length - start < this.#longestBoundary + 2
    if (short && !this.#ended && line.indexOf(LF, at) < 0) return UNDECIDED
    if (line[at + 1] !== DASH) return NONE
    let found = NONE
    let foundLength = 0
    for (let level = this.#open.length - 1; level >= 0; level--) {
      const boundary = this.#open[level]?.boundary
      if (!boundary || boundary.length <= foundLength || line[start] !== boundary[0]) continue
      const end = start + boundary.length
      if (end > line.length || boundary.compare(line, start, end) !== 0) continue
      found = level
      foundLength = boundary.length
    }
    return found
  }

  /** A delimiter of the multipart at `level`: ends what is open inside it, and it itself when it is the closing one. */
  #delimiter(level: number, line: Buffer, at: number, offset: number): void {
    if (this.#mode === 'header') this.#endHeaderAtDelimiter(offset)
    const open = this.#open[level] as OpenPart
    const before = line === this.#chunk && at > 0 ? this.#threeBefore(at) : this.#beforePending
    const crlf = ((before >> 8) & 0xff) === CR
    const end = offset - (crlf ? 2 : 1)
    const endsWithLf = ((before >> (crlf ? 16 : 8)) & 0xff) === LF
    this.#closeDownTo(level + 1, end, endsWithLf, 1)
    const after = at + 2 + (open.boundary as Buffer).length
    if (line[after] === DASH && line[after + 1] === DASH) {
      open.boundary = null
      this.#mode = 'body'
    } else if (this.#fullOfParts()) {
      this.#overLimit ??= 'parts'
      this.#mode = 'body'
    } else this.#mode = 'delimiter'
    this.#measureBoundaries()
  }

  /** The part's header stops where the delimiter stands; one part, even when a message was to begin there. */
  #endHeaderAtDelimiter(offset: number): void {
    this.#endHeader(offset)
    while (this.#mode === 'header') this.#endHeader(offset)
  }

  /**
   * Closes open parts from the innermost to `level`.
   *
   * @param end Where their bodies end.
   * @param endsWithLf Whether the octet before `end` is an LF.
   * @param delimiterLines LFs between `end` and the octets counted so far.
   */
  #closeDownTo(level: number, end: number, endsWithLf: boolean, delimiterLines: number): void {
    while (this.#open.length > level) {
      const { part, linesBefore } = this.#open.pop() as OpenPart
      part.octets = Math.max(0, end - part.bodyOffset)
      const lineEnds = this.#counter.lines - linesBefore - delimiterLines
      part.lines = part.octets === 0 ? 0 : lineEnds + (endsWithLf ? 0 : 1)
      // RFC 2046 §5.1.1 wants one part at least. Without any, people should still see the text.
      if (isMultipart(part) && part.parts.length === 0) withType(part, plainText())
    }
  }

  /** The three octets before index `at` of the chunk, the nearest lowest. */
  #threeBefore(at: number): number {
    let packed = at >= 3 ? 0 : this.#beforeChunk
    for (let index = Math.max(0, at - 3); index < at; index++) {
      packed = ((packed << 8) | (this.#chunk[index] as number)) & 0xffffff
    }
    return packed
  }
}

/** What is told of a multipart or message that is not looked into. */
function opaque(): ContentType {
  return { type: 'application', subtype: 'octet-stream', parameters: [] }
}

/** RFC 2046 §5.1.1: boundary := 0*69<bchars> bcharsnospace. Longer and odder ones work as well. */
function boundaryOf(part: Part): Buffer | null {
  const boundary = parameterValue(part.parameters, 'boundary')?.trimEnd() ?? ''
  const octets = Buffer.from(boundary, 'utf8')
  return octets.length === 0 || octets.length > BOUNDARY_OCTETS || octets.includes(LF) ? null : octets
}

/** Scans a message that is there in one piece. */
export function scanMessage(octets: Uint8Array, limits?: Partial<ScanLimits>): MessageScan {
  const scanner = new MessageScanner({ ...DEFAULT_SCAN_LIMITS, ...limits })
  scanner.push(octets)
  return scanner.finish()
}
