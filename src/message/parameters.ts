import { decodeCharset } from './charset.ts'
import { hexDigit } from './transfer-encoding.ts'

/** Name in lower case, and value decoded. */
export type Parameter = [name: string, value: string]

export interface ContentType {
  readonly type: string
  readonly subtype: string
  readonly parameters: Parameter[]
}

export interface Disposition {
  readonly type: string
  readonly parameters: Parameter[]
}

/** Parameters of one field that are read; a real message has fewer than ten. */
const PARAMETERS = 100

/** RFC 2045 §5.1: a token excludes these, controls, space and 8-bit octets. */
const TOKEN_END = /[\x00-\x20()<>@,;:\\"/[\]?=\x7f-\uffff]/g

/** What most parts say: a type, and at most one parameter that is written plainly. */
const PLAIN_TYPE = /^([\w.+-]+)\/([\w.+-]+)(?:; ?([\w-]+)=(?:"([^"\\]*)"|([\w.+:-]+)))?$/

/** Reads along an unfolded field value; each method leaves `at` behind what it read. */
class Reader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  /** White space and comments, RFC 5322 §3.2.2. A comment that is never closed reaches to the end. */
  skip(): void {
    for (let depth = 0; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]
      if (character === '(') depth++
      else if (character === ')' && depth > 0) depth--
      else if (character === '\\' && depth > 0) this.at++
      else if (depth === 0 && character !== ' ' && character !== '\t') return
    }
  }

  accept(character: string): boolean {
    this.skip()
    if (this.text[this.at] !== character) return false
    this.at++
    return true
  }

  token(): string {
    this.skip()
    TOKEN_END.lastIndex = this.at
    const end = TOKEN_END.test(this.text) ? TOKEN_END.lastIndex - 1 : this.text.length
    const token = this.text.slice(this.at, end)
    this.at = end
    return token
  }

  /** value := token / quoted-string ; RFC 2045 §5.1, and whatever else stands before the next semicolon. */
  value(): string {
    this.skip()
    if (this.text[this.at] === '"') return this.#quoted()
    const semicolon = this.text.indexOf(';', this.at)
    const end = semicolon < 0 ? this.text.length : semicolon
    const value = this.text.slice(this.at, end).trim()
    this.at = end
    // A comment after a token is no part of it; a file name with a blank before its bracket is left whole.
    return /^[^\s(]+\s+\(/.test(value) ? value.slice(0, value.search(/\s/)) : value
  }

  #quoted(): string {
    let value = ''
    let from = ++this.at
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]
      if (character === '"') break
      if (character === '\\' && this.at + 1 < this.text.length) {
        value += this.text.slice(from, this.at)
        from = ++this.at
      }
    }
    value += this.text.slice(from, this.at)
    const semicolon = this.text.indexOf(';', ++this.at)
    this.at = semicolon < 0 ? this.text.length : semicolon
    return value
  }
}

/** What one parameter is made of: its plain form, or pieces by number with or without percent encoding. */
interface Pieces {
  plain: string | null
  numbered: Map<number, { value: string; encoded: boolean }> | null
}

function percentDecode(text: string): Uint8Array {
  const out = Buffer.allocUnsafe(Buffer.byteLength(text))
  let length = 0
  for (let index = 0; index < text.length; index++) {
    const high = text[index] === '%' ? hexDigit(text.charCodeAt(index + 1)) : -1
    const low = high >= 0 ? hexDigit(text.charCodeAt(index + 2)) : -1
    if (low >= 0) {
      out[length++] = high * 16 + low
      index += 2
    } else length += out.write(text[index] as string, length, 'utf8')
  }
  return out.subarray(0, length)
}

/** RFC 2231 §3 and §4: pieces in order of their numbers, up to the first that is missing. */
function join(numbered: NonNullable<Pieces['numbered']>): string {
  let charset = 'utf-8'
  let out = ''
  let pending: Uint8Array[] = []
  const flush = () => {
    if (pending.length > 0) out += decodeCharset(Buffer.concat(pending), charset)
    pending = []
  }
  for (let number = 0; ; number++) {
    const piece = numbered.get(number)
    if (piece === undefined) break
    let value = piece.value
    if (piece.encoded && number === 0) {
      // RFC 2231 §4: charset ' language ' text; §4.1: only the first piece has them.
      const marks = /^([^']*)'[^']*'/.exec(value)
      if (marks !== null) {
        charset = marks[1] as string
        value = value.slice(marks[0].length)
      }
    }
    if (piece.encoded) pending.push(percentDecode(value))
    else {
      flush()
      out += value
    }
  }
  flush()
  return out
}

/** *(";" attribute "=" value), with the continuations and charsets of RFC 2231. */
function parseParameters(reader: Reader): Parameter[] {
  const found = new Map<string, Pieces>()
  for (let count = 0; count < PARAMETERS && reader.at < reader.text.length; ) {
    if (!reader.accept(';')) {
      const semicolon = reader.text.indexOf(';', reader.at)
      if (semicolon < 0) break
      reader.at = semicolon
      continue
    }
    const attribute = reader.token().toLowerCase()
    if (attribute === '' || !reader.accept('=')) continue
    count++
    addPiece(found, attribute, reader.value())
  }
  const parameters: Parameter[] = []
  for (const [name, { plain, numbered }] of found) {
    // RFC 2231 leaves open which wins when both forms are there; the extended one says more (RFC 6266 §4.3).
    if (numbered?.has(0)) parameters.push([name, join(numbered)])
    else if (plain !== null) parameters.push([name, plain])
  }
  return parameters
}

function addPiece(found: Map<string, Pieces>, attribute: string, value: string): void {
  // RFC 2231 §7: attribute ["*" number] ["*"]
  const star = attribute.indexOf('*')
  const extended = star > 0 ? /^\*(?:(0|[1-9][0-9]{0,2})(\*?))?$/.exec(attribute.slice(star)) : null
  const name = extended === null ? attribute : attribute.slice(0, star)
  let pieces = found.get(name)
  if (pieces === undefined) found.set(name, (pieces = { plain: null, numbered: null }))
  if (extended === null) pieces.plain ??= value
  else {
    const number = Number(extended[1] ?? 0)
    const encoded = extended[1] === undefined || extended[2] === '*'
    pieces.numbered ??= new Map()
    if (!pieces.numbered.has(number)) pieces.numbered.set(number, { value, encoded })
  }
}

/**
 * content := "Content-Type" ":" type "/" subtype *(";" parameter) ; RFC 2045 §5.1
 *
 * @param value Unfolded.
 * @returns Type, subtype and names in lower case; null when it does not begin with a type and a subtype.
 */
export function parseContentType(value: string): ContentType | null {
  const plain = PLAIN_TYPE.exec(value)
  if (plain !== null) {
    const name = plain[3]?.toLowerCase()
    const parameters: Parameter[] = name === undefined ? [] : [[name, plain[4] ?? plain[5]!]]
    return { type: plain[1]!.toLowerCase(), subtype: plain[2]!.toLowerCase(), parameters }
  }
  const reader = new Reader(value)
  const type = reader.token().toLowerCase()
  if (type === '' || !reader.accept('/')) return null
  const subtype = reader.token().toLowerCase()
  if (subtype === '') return null
  return { type, subtype, parameters: parseParameters(reader) }
}

/** disposition := "Content-Disposition" ":" disposition-type *(";" disposition-parm) ; RFC 2183 §2 */
export function parseDisposition(value: string): Disposition | null {
  const reader = new Reader(value)
  const type = reader.token().toLowerCase()
  const parameters = parseParameters(reader)
  // RFC 2183 §2.8: what is not known is an attachment; so is a field that has only a file name.
  return type === '' && parameters.length === 0 ? null : { type: type || 'attachment', parameters }
}

/** The first token of a value, lower case: how Content-Transfer-Encoding is read. */
export function parseToken(value: string): string {
  return (/^[\w-]+$/.test(value) ? value : new Reader(value).token()).toLowerCase()
}

/** Content-Language := 1#language-tag ; RFC 3282 §2 */
export function parseLanguages(value: string): string[] {
  return value
    .replace(/\([^()]*\)/g, '')
    .split(',', PARAMETERS)
    .map((tag) => tag.trim())
    .filter((tag) => /^[A-Za-z0-9-]{1,64}$/.test(tag))
}

/** The value of the first parameter of that (lower case) name, or null. */
export function parameterValue(parameters: readonly Parameter[], name: string): string | null {
  for (const [key, value] of parameters) if (key === name) return value
  return null
}
