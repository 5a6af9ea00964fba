/**
 * A strict reader of XML 1.0 with namespaces, for documents that strangers send: elements, attributes, text, CDATA,
 * comments and processing instructions; no document type and so no entities but the five of XML itself and numbers.
 *
 * Nothing grows with what a document says: text is handed on as it is written, elements and depth are bounded.
 */

/** The document is not well-formed, or beyond a bound. */
export class BadXml extends Error {
  constructor(text: string, options?: ErrorOptions) {
    super(`Cannot read XML: ${text}`, options)
    this.name = 'BadXml'
  }
}

export interface XmlBounds {
  readonly depth: number
  readonly elements: number
  readonly attributes: number
  /** Chars of a name, an attribute's value. */
  readonly nameChars: number
  readonly valueChars: number
}

export interface XmlName {
  /** '' for none. */
  readonly namespace: string
  readonly local: string
}

export interface XmlHandler {
  open(name: XmlName): void
  /** A piece of the text of the element that is open: several may follow one another. */
  text(text: string): void
  close(name: XmlName): void
}

interface OpenElement {
  readonly raw: string
  readonly name: XmlName
  /** Prefixes in force; '' is the default namespace. */
  readonly prefixes: ReadonlyMap<string, string>
}

/** XML 1.0 §2.3, without the colon, which belongs to namespaces. */
const nameAt =
  /[A-Za-z_\u00c0-\ud7ff\uf900-\ufffd][\w.\-\u00b7-\ud7ff\uf900-\ufffd]*(?::[A-Za-z_\u00c0-\ud7ff\uf900-\ufffd][\w.\-\u00b7-\ud7ff\uf900-\ufffd]*)?/y
const blanksAt = /[ \t\r\n]*/y
/** XML 1.0 §2.2: controls, halves of surrogate pairs and the two last of the plane are no characters. */
const noCharacter =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const predefined = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'

/** Reads a whole document. @throws {BadXml} What the handler throws is passed on. */
export function readXml(document: string, handler: XmlHandler, bounds: XmlBounds): void {
  new XmlReader(document, handler, bounds).read()
}

class XmlReader {
  readonly #source: string
  readonly #handler: XmlHandler
  readonly #bounds: XmlBounds
  readonly #open: OpenElement[] = []
  #at = 0
  #elements = 0

  constructor(source: string, handler: XmlHandler, bounds: XmlBounds) {
    this.#source = source.startsWith('\ufeff') ? source.slice(1) : source
    this.#handler = handler
    this.#bounds = bounds
  }

  read(): void {
    const bad = noCharacter.exec(this.#source)
    if (bad !== null) throw new BadXml(`Character ${bad.index} is none`)
    this.#declaration()
    while (this.#at < this.#source.length) {
      const next = this.#source.indexOf('<', this.#at)
      const end = next < 0 ? this.#source.length : next
      if (end > this.#at) this.#text(this.#source.slice(this.#at, end))
      this.#at = end
      if (next >= 0) this.#markup()
    }
    if (this.#open.length > 0) throw new BadXml(`Element ${this.#open.at(-1)!.raw} is not closed`)
    if (this.#elements === 0) throw new BadXml('There is no element')
  }

  #declaration(): void {
    if (!/^<\?xml[ \t\r\n]/.test(this.#source)) return
    const end = this.#source.indexOf('?>')
    if (end < 0) throw new BadXml('The declaration does not end')
    this.#at = end + 2
  }

  #markup(): void {
    const source = this.#source
    const at = this.#at
    if (source.startsWith('<!--', at)) {
      const body = this.#upTo(at + 4, '-->', 'A comment')
      if (body.includes('--') || body.endsWith('-')) throw new BadXml('A comment holds --')
    } else if (source.startsWith('<![CDATA[', at)) {
      const body = this.#upTo(at + 9, ']]>', 'A CDATA section')
      if (this.#open.length === 0) throw new BadXml('Text stands outside the root')
      if (body !== '') this.#handler.text(lineEnds(body))
    } else if (source.startsWith('<?', at)) {
      const body = this.#upTo(at + 2, '?>', 'A processing instruction')
      if (/^xml(?:$|[ \t\r\n])/i.test(body)) throw new BadXml('The declaration is not at the start')
    } else if (source.startsWith('<!', at)) throw new BadXml('A document type is not read')
    else if (source.startsWith('</', at)) this.#endTag()
    else this.#startTag()
  }

  #upTo(from: number, mark: string, what: string): string {
    const end = this.#source.indexOf(mark, from)
    if (end < 0) throw new BadXml(`${what} does not end`)
    this.#at = end + mark.length
    return this.#source.slice(from, end)
  }

  #text(text: string): void {
    if (this.#open.length === 0) {
      if (/[^ \t\r\n]/.test(text)) throw new BadXml('Text stands outside the root')
      return
    }
    if (text.includes(']]>')) throw new BadXml('Text holds ]]>')
    this.#handler.text(resolveEntities(lineEnds(text)))
  }

  #startTag(): void {
    if (this.#open.length === 0 && this.#elements > 0) throw new BadXml('There are two roots')
    this.#at++
    const raw = this.#name()
    const attributes = this.#attributes()
    const closed = this.#accept('/')
    if (!this.#accept('>')) throw new BadXml(`Tag of ${raw} does not end`)
    if (++this.#elements > this.#bounds.elements)
      throw new BadXml(`There are more than ${this.#bounds.elements} elements`)
    if (this.#open.length >= this.#bounds.depth)
      throw new BadXml(`Elements are nested deeper than ${this.#bounds.depth}`)
    const prefixes = this.#prefixes(attributes)
    const name = qualify(raw, prefixes)
    this.#handler.open(name)
    if (closed) this.#handler.close(name)
    else this.#open.push({ raw, name, prefixes })
  }

  #endTag(): void {
    this.#at += 2
    const raw = this.#name()
    this.#blanks()
    if (!this.#accept('>')) throw new BadXml(`Tag of ${raw} does not end`)
    const open = this.#open.pop()
    if (open?.raw !== raw) throw new BadXml(`${raw} ends where ${open?.raw ?? 'nothing'} is open`)
    this.#handler.close(open.name)
  }

  #attributes(): Map<string, string> {
    const attributes = new Map<string, string>()
    for (;;) {
      const blanks = this.#blanks()
      const next = this.#source[this.#at]
      if (next === '>' || next === '/' || next === undefined) return attributes
      if (blanks === 0) throw new BadXml('Attributes are not apart')
      const name = this.#name()
      this.#blanks()
      if (!this.#accept('=')) throw new BadXml(`Attribute ${name} has no value`)
      this.#blanks()
      if (attributes.has(name)) throw new BadXml(`Attribute ${name} stands twice`)
      attributes.set(name, this.#value(name))
      if (attributes.size > this.#bounds.attributes)
        throw new BadXml(`An element has more than ${this.#bounds.attributes} attributes`)
    }
  }

  #value(name: string): string {
    const quote = this.#source[this.#at]
    if (quote !== '"' && quote !== "'") throw new BadXml(`Value of ${name} is not quoted`)
    const value = this.#upTo(this.#at + 1, quote, `Value of ${name}`)
    if (value.length > this.#bounds.valueChars) throw new BadXml(`Value of ${name} is too long`)
    if (value.includes('<')) throw new BadXml(`Value of ${name} holds <`)
    return resolveEntities(value.replace(/[\t\r\n]/g, ' '))
  }

  /** Those of the parent, and what this element declares: Namespaces in XML §6. */
  #prefixes(attributes: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const inherited = this.#open.at(-1)?.prefixes ?? rootPrefixes
    let own: Map<string, string> | null = null
    for (const [name, value] of attributes) {
      if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue
      own ??= new Map(inherited)
      own.set(name.slice(6), value)
      // Each level copies the map, so what many levels declare is bounded together.
      if (own.size > this.#bounds.attributes) throw new BadXml('There are too many namespaces')
    }
    return own ?? inherited
  }

  #name(): string {
    nameAt.lastIndex = this.#at
    const name = nameAt.exec(this.#source)?.[0]
    if (name === undefined) throw new BadXml(`A name is missing at ${this.#at}`)
    if (name.length > this.#bounds.nameChars) throw new BadXml('A name is too long')
    this.#at += name.length
    return name
  }

  /** @returns How many. */
  #blanks(): number {
    blanksAt.lastIndex = this.#at
    const { length } = blanksAt.exec(this.#source)![0]
    this.#at += length
    return length
  }

  #accept(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }
}

const rootPrefixes: ReadonlyMap<string, string> = new Map([
  ['', ''],
  ['xml', xmlNamespace],
])

function qualify(raw: string, prefixes: ReadonlyMap<string, string>): XmlName {
  const colon = raw.indexOf(':')
  const namespace = prefixes.get(colon < 0 ? '' : raw.slice(0, colon))
  if (namespace === undefined) throw new BadXml(`Prefix of ${raw} is not declared`)
  return { namespace, local: raw.slice(colon + 1) }
}

/** XML 1.0 §2.11. */
function lineEnds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

function resolveEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&([^;&]{0,20})(;?)/g, (whole, name: string, end: string) => {
    const character = end === '' ? undefined : (predefined.get(name) ?? numbered(name))
    if (character === undefined) throw new BadXml(`Entity ${whole.slice(0, 20)} is not known`)
    return character
  })
}

function numbered(name: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name) ?? []
  if (hex === undefined && decimal === undefined) return undefined
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
  if (code > 0x10ffff) return undefined
  const character = String.fromCodePoint(code)
  return noCharacter.test(character) ? undefined : character
}
