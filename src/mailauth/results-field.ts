/** The Authentication-Results field, RFC 8601: written by us, and read in what others attest (ARC). */

export interface ResultProperty {
  /** smtp, header, body, policy or, RFC 9989, polrec. */
  readonly type: string
  readonly property: string
  readonly value: string
}

export interface MethodResult {
  /** spf, dkim, dmarc, arc, iprev … in lower case. */
  readonly method: string
  readonly result: string
  readonly reason?: string
  /** What people read in brackets; never read by programs. */
  readonly comment?: string
  readonly properties: readonly ResultProperty[]
}

export interface AuthenticationResults {
  /** Who judged. */
  readonly server: string
  readonly results: readonly MethodResult[]
}

/** token of RFC 2045 §5.1. */
const token = /^[!#$%&'*+\-.^_`{|}~A-Za-z0-9]+$/
/** pvalue also allows [ [ local-part ] "@" ] domain-name. */
const address = /^[!#$%&'*+\-/=?^_`{|}~A-Za-z0-9.]*@[A-Za-z0-9._-]+$/

/** @returns `Authentication-Results: …` with its CRLF, one result a line. */
export function formatAuthenticationResults({ server, results }: AuthenticationResults): string {
  const lines = results.map(formatResult)
  // RFC 8601 §2.2, no-result.
  if (lines.length === 0) lines.push(' none')
  return `Authentication-Results: ${server};\r\n${lines.join(';\r\n')}\r\n`
}

function formatResult({ method, result, reason, comment, properties }: MethodResult): string {
  const words = [`${method}=${result}`]
  if (comment !== undefined && comment !== '')
    words.push(`(${comment.replace(/[()\\]|[^ -~]/g, ' ').slice(0, 200)})`)
  if (reason !== undefined && reason !== '') words.push(`reason=${formatValue(reason)}`)
  for (const { type, property, value } of properties) words.push(`${type}.${property}=${formatValue(value)}`)
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > 76) {
      lines.push(line)
      line = `  ${word}`
    } else line += ` ${word}`
  }
  return [...lines, line].join('\r\n')
}

function formatValue(value: string): string {
  // Nothing of a stranger's may begin another line, or be a result to those who only look for `dmarc=pass` in the text.
  // RFC 8601 §2.2, pvalue: of an address the domain is enough.
  const harmless = value.includes('=') ? value.slice(value.lastIndexOf('@') + 1).replaceAll('=', ':') : value
  const plain = harmless.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, 400)
  return token.test(plain) || address.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`
}

/** Results of one field that are read. */
const resultsMax = 100
const commentNesting = 20

/**
 * authres-header-field = "Authentication-Results:" [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo )
 *
 * Forgiving in values, which many write unquoted: one ends at white space or `;`.
 *
 * @param text What follows the colon, one char per octet, folded or not.
 * @returns Null when it is no such field.
 */
export function parseAuthenticationResults(text: string): AuthenticationResults | null {
  const reader = new Reader(text)
  reader.skip()
  const server = reader.value()
  reader.skip()
  if (server === '') return null
  // authres-version = 1*DIGIT [CFWS]
  if (/[0-9]/.test(reader.peek())) {
    if (reader.value() !== '1') return null
    reader.skip()
  }
  const results: MethodResult[] = []
  while (reader.accept(';')) {
    reader.skip()
    if (reader.done) break
    const result = readResult(reader)
    if (result === null) return null
    if (result !== 'none') results.push(result)
    if (results.length > resultsMax) return null
    reader.skip()
  }
  return reader.done && !reader.broken ? { server, results } : null
}

function readResult(reader: Reader): MethodResult | 'none' | null {
  const method = reader.keyword()
  reader.skip()
  if (method === 'none' && (reader.done || reader.peek() === ';')) return 'none'
  if (reader.accept('/')) {
    reader.skip()
    reader.keyword()
    reader.skip()
  }
  if (method === '' || !reader.accept('=')) return null
  reader.skip()
  const result = reader.keyword()
  if (result === '') return null
  let reason: string | undefined
  const properties: ResultProperty[] = []
  for (reader.skip(); !reader.done && reader.peek() !== ';'; reader.skip()) {
    const type = reader.keyword()
    reader.skip()
    if (type === '') return null
    if (reader.accept('.')) {
      reader.skip()
      const property = reader.keyword()
      reader.skip()
      if (!reader.accept('=')) return null
      reader.skip()
      properties.push({ type, property, value: reader.value() })
    } else {
      if (!reader.accept('=')) return null
      reader.skip()
      const value = reader.value()
      if (type === 'reason') reason = value
    }
  }
  return { method, result, properties, ...(reason === undefined ? {} : { reason }) }
}

class Reader {
  readonly #text: string
  #at = 0
  /** A comment or a quoted string without end. */
  broken = false

  constructor(text: string) {
    this.#text = text
  }

  get done(): boolean {
    return this.#at >= this.#text.length
  }

  peek(): string {
    return this.#text[this.#at] ?? ''
  }

  accept(char: string): boolean {
    if (this.peek() !== char) return false
    this.#at++
    return true
  }

  /** CFWS, RFC 5322 §3.2.2. */
  skip(): void {
    for (;;) {
      const char = this.peek()
      if (char === ' ' || char === '\t' || char === '\r' || char === '\n') this.#at++
      else if (char === '(') this.#skipComment()
      else return
    }
  }

  #skipComment(): void {
    let depth = 0
    for (; !this.done; this.#at++) {
      const char = this.peek()
      if (char === '\\') this.#at++
      else if (char === '(') {
        depth++
        if (depth > commentNesting) break
      } else if (char === ')' && --depth === 0) {
        this.#at++
        return
      }
    }
    this.broken = true
    this.#at = this.#text.length
  }

  /** Keyword of RFC 5321 §4.1.2, with `_`; '' when there is none. */
  keyword(): string {
    const found = /[A-Za-z0-9_-]*/y
    found.lastIndex = this.#at
    const word = found.exec(this.#text)?.[0] ?? ''
    this.#at += word.length
    return word.toLowerCase()
  }

  /** A token, a quoted string, or an address with a quoted local part; up to white space, `;` or a comment. */
  value(): string {
    let value = ''
    for (; !this.done; this.#at++) {
      const char = this.peek()
      if (char === '"') value += this.#quoted()
      else if (char === ';' || char === '(' || /[ \t\r\n]/.test(char)) break
      else value += char
    }
    return value
  }

  /** Leaves the reader on the closing quote. */
  #quoted(): string {
    let value = ''
    for (this.#at++; !this.done; this.#at++) {
      const char = this.peek()
      if (char === '"') return value
      if (char === '\\') {
        this.#at++
        value += this.peek()
      } else if (char !== '\r' && char !== '\n') value += char
    }
    this.broken = true
    return value
  }
}
