/** What FETCH asks for, RFC 3501 §6.4.5. */
import type { CommandReader } from './reader.ts'
import { bad } from './refusal.ts'
import { formatString } from './response.ts'

/** What stands between the brackets of BODY[…]. */
export interface FetchSection {
  /** Part numbers from the outside in; empty: the message itself. */
  readonly part: readonly number[]
  readonly text: 'whole' | 'header' | 'header-fields' | 'header-fields-not' | 'text' | 'mime'
  /** Field names of the two `header-fields`, as written. */
  readonly fields: readonly string[]
}

export interface Partial {
  readonly offset: number
  /** At least 1. */
  readonly octets: number
}

export type FetchItem =
  | { readonly kind: 'uid' | 'flags' | 'internaldate' | 'size' | 'envelope' | 'body' | 'bodystructure' }
  | {
      readonly kind: 'section'
      /** The item's name in the response, with the origin of a partial: `BODY[1]<0>`. */
      readonly label: string
      readonly section: FetchSection
      readonly partial: Partial | null
      /** Whether reading leaves \Seen alone. */
      readonly peek: boolean
    }

/** Items of one command; more would only serve to make a small command costly. */
const itemsMax = 100
const simple = {
  UID: { kind: 'uid' },
  FLAGS: { kind: 'flags' },
  INTERNALDATE: { kind: 'internaldate' },
  'RFC822.SIZE': { kind: 'size' },
  ENVELOPE: { kind: 'envelope' },
  BODYSTRUCTURE: { kind: 'bodystructure' },
} as const satisfies Record<string, FetchItem>
const whole: FetchSection = { part: [], text: 'whole', fields: [] }
/** RFC 3501 §6.4.5: the three old names; only RFC822.HEADER leaves \Seen alone. */
const rfc822 = {
  RFC822: { kind: 'section', label: 'RFC822', section: whole, partial: null, peek: false },
  'RFC822.HEADER': {
    kind: 'section',
    label: 'RFC822.HEADER',
    section: { ...whole, text: 'header' },
    partial: null,
    peek: true,
  },
  'RFC822.TEXT': {
    kind: 'section',
    label: 'RFC822.TEXT',
    section: { ...whole, text: 'text' },
    partial: null,
    peek: false,
  },
} as const satisfies Record<string, FetchItem>
const fast = [simple.FLAGS, simple.INTERNALDATE, simple['RFC822.SIZE']]
const macros: Record<string, readonly FetchItem[]> = {
  FAST: fast,
  ALL: [...fast, simple.ENVELOPE],
  FULL: [...fast, simple.ENVELOPE, { kind: 'body' }],
}
const items: Record<string, FetchItem> = { ...simple, ...rfc822 }

/**
 * Reads `"ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"`.
 *
 * @param nesting Bound on the part numbers of one section.
 * @returns Each item once, in the order asked for.
 */
export function parseFetchItems(reader: CommandReader, nesting: number): FetchItem[] {
  const found = new Map<string, FetchItem>()
  const take = (item: FetchItem): void => {
    if (found.size >= itemsMax) throw bad(`Cannot read FETCH: more than ${itemsMax} items`)
    found.set(
      item.kind === 'section' ? `${item.label} ${item.partial?.octets} ${item.peek}` : item.kind,
      item,
    )
  }
  if (reader.accept('(')) {
    do take(parseItem(reader, readName(reader), nesting))
    while (reader.accept(' '))
    reader.expect(')')
  } else {
    const name = readName(reader)
    for (const item of macros[name] ?? [parseItem(reader, name, nesting)]) take(item)
  }
  return [...found.values()]
}

function readName(reader: CommandReader): string {
  const name = reader.match(/[A-Za-z0-9.]+/y)
  if (name === null) throw reader.fault('a FETCH item')
  return name.toUpperCase()
}

/** fetch-att, its name already read. */
function parseItem(reader: CommandReader, name: string, nesting: number): FetchItem {
  if (name === 'BODY' || name === 'BODY.PEEK') {
    if (!reader.accept('[')) {
      if (name === 'BODY') return { kind: 'body' }
      throw reader.fault('[')
    }
    const section = parseSection(reader, nesting)
    reader.expect(']')
    const partial = parsePartial(reader)
    const origin = partial === null ? '' : `<${partial.offset}>`
    const label = `BODY[${formatSection(section)}]${origin}`
    return { kind: 'section', label, section, partial, peek: name === 'BODY.PEEK' }
  }
  const item = Object.hasOwn(items, name) ? items[name] : undefined
  if (item === undefined) throw bad('Cannot read FETCH: no such item')
  return item
}

/** section-spec = section-msgtext / (section-part ["." section-text]) */
function parseSection(reader: CommandReader, nesting: number): FetchSection {
  const part: number[] = []
  if (reader.next === ']') return whole
  while (/[0-9]/.test(reader.next)) {
    const number = reader.number()
    if (number === 0) throw bad('Cannot read FETCH: parts are counted from 1')
    part.push(number)
    if (part.length > nesting) throw bad(`Cannot read FETCH: section is nested more than ${nesting} deep`)
    if (!reader.accept('.')) return { part, text: 'whole', fields: [] }
  }
  const text = reader.match(/[A-Za-z.]+/y)?.toUpperCase()
  if (text === 'HEADER.FIELDS' || text === 'HEADER.FIELDS.NOT') {
    reader.space()
    const fields = parseFieldNames(reader)
    return { part, text: text === 'HEADER.FIELDS' ? 'header-fields' : 'header-fields-not', fields }
  }
  if (text === 'HEADER') return { part, text: 'header', fields: [] }
  if (text === 'TEXT') return { part, text: 'text', fields: [] }
  // RFC 3501 §6.4.5: MIME needs a part number before it.
  if (text === 'MIME' && part.length > 0) return { part, text: 'mime', fields: [] }
  throw reader.fault('a section')
}

/** header-list = "(" header-fld-name *(SP header-fld-name) ")" */
function parseFieldNames(reader: CommandReader): string[] {
  const names: string[] = []
  reader.expect('(')
  do names.push(reader.astring())
  while (reader.accept(' '))
  reader.expect(')')
  return names
}

/** "<" number "." nz-number ">" */
function parsePartial(reader: CommandReader): Partial | null {
  if (!reader.accept('<')) return null
  const offset = reader.number()
  reader.expect('.')
  const octets = reader.number()
  if (octets === 0) throw bad('Cannot read FETCH: a partial has at least one octet')
  reader.expect('>')
  return { offset, octets }
}

/** The section as the response repeats it. */
export function formatSection({ part, text, fields }: FetchSection): string {
  const numbers = part.join('.')
  if (text === 'whole') return numbers
  const words = {
    header: 'HEADER',
    text: 'TEXT',
    mime: 'MIME',
    'header-fields': 'HEADER.FIELDS',
    'header-fields-not': 'HEADER.FIELDS.NOT',
  }
  const list = text.startsWith('header-') ? ` (${fields.map(formatFieldName).join(' ')})` : ''
  return `${numbers}${numbers === '' ? '' : '.'}${words[text]}${list}`
}

function formatFieldName(name: string): string {
  return /^[A-Za-z0-9-]+$/.test(name) ? name : formatString(name)
}
