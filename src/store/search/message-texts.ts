import { foldText } from '../../message/fold-text.ts'
import {
  bodyTexts,
  headerText,
  type SearchedField,
  searchedFields,
  searchedHeaderOctets,
} from '../../message/searched-text.ts'
import { envelopeFields, StoredEnvelope } from '../../message/stored-envelope.ts'
import { decodeStructure, type StoredStructure } from '../../message/stored-structure.ts'
import type { SearchCriterion } from '../search.ts'
import { foldNeedle } from './lookup.ts'
import { inBody, inHeader } from './places.ts'
import type { StoredMessage } from './stored-messages.ts'

/**
 * What is searched of one message, each text made when it is first asked for. The index is made from these texts and
 * answers are verified against them, so both see the same.
 */
export class MessageTexts {
  readonly #message: StoredMessage
  readonly #read: (offset: number, octets: number) => Uint8Array
  readonly #lines: TextLines
  #structure: StoredStructure | null = null
  #envelope: StoredEnvelope | null = null
  #fields: readonly SearchedField[] | null = null
  #header: string | null = null
  /** Body texts made so far, folded, and where the others come from. */
  readonly #texts: string[] = []
  #more: Iterator<string, void> | null = null

  /** @param lines Of `bodies`. */
  constructor(
    message: StoredMessage,
    read: (offset: number, octets: number) => Uint8Array,
    lines: TextLines = 'lf',
  ) {
    this.#message = message
    this.#read = read
    this.#lines = lines
  }

  /** What had to be read besides its rows in the tables. */
  get opened(): 'body' | 'header' | null {
    if (this.#more !== null) return 'body'
    return this.#fields === null ? null : 'header'
  }

  get envelope(): StoredEnvelope {
    return (this.#envelope ??= new StoredEnvelope(this.#message.envelope))
  }

  get fields(): readonly SearchedField[] {
    if (this.#fields === null) {
      const octets = this.#read(0, Math.min(this.#layout.headerOctets, searchedHeaderOctets))
      this.#fields = searchedFields(Buffer.concat([Buffer.from(this.#message.prefix, 'latin1'), octets]))
    }
    return this.#fields
  }

  /** The whole header. */
  get plainHeader(): string {
    return headerText(this.fields)
  }

  /** The texts below the header, their lines as they end. */
  plainBodies(): Generator<string, void> {
    return bodyTexts(this.#layout.root, this.#read, 'as they are')
  }

  /** The whole header, folded. */
  get header(): string {
    return (this.#header ??= foldText(this.plainHeader))
  }

  /** The texts below the header, folded. */
  *bodies(): Generator<string, void> {
    for (let i = 0; ; i++) {
      if (i === this.#texts.length) {
        this.#more ??= bodyTexts(this.#layout.root, this.#read, this.#lines)
        const next = this.#more.next()
        if (next.done === true) return
        this.#texts.push(foldText(next.value))
      }
      yield this.#texts[i]!
    }
  }

  get #layout(): StoredStructure {
    return (this.#structure ??= decodeStructure(this.#message.structure))
  }
}

/** How the lines of a text end. Only a needle with an end of line in it sees the difference. */
export type TextLines = 'lf' | 'as they are'

/** Tells of a message whether it matches. @param where Bits of places.ts: elsewhere the needle cannot be. */
export type Test = (texts: MessageTexts, where: number) => boolean

/** How far one has to go into a message for it: to its rows in the tables, to its header, or below it. */
export function depthOf(criterion: SearchCriterion): 0 | 1 | 2 {
  if (criterion.field === 'sent') return 0
  if (criterion.field === 'header') return envelopeFields.includes(criterion.name.toUpperCase()) ? 0 : 1
  return 2
}

export function linesFor(criteria: readonly SearchCriterion[]): TextLines {
  const hasLines = criteria.some((one) => one.field !== 'sent' && /[\r\n]/.test(one.needle))
  return hasLines ? 'lf' : 'as they are'
}

export function testFor(criterion: SearchCriterion): Test {
  if (criterion.field === 'sent') {
    const { from, before } = criterion
    // A message without a readable date was sent on no day.
    return ({ envelope: { sentDay } }) => sentDay !== null && sentDay >= from && sentDay < before
  }
  const needle = foldNeedle(criterion.needle)
  if (criterion.field === 'header') return headerTest(criterion.name.toUpperCase(), needle)
  if (needle === '') return () => true
  const { field } = criterion
  return (texts, where) => {
    if (field === 'text' && (where & inHeader) !== 0 && texts.header.includes(needle)) return true
    if ((where & inBody) === 0) return false
    for (const text of texts.bodies()) if (text.includes(needle)) return true
    return false
  }
}

function headerTest(name: string, needle: string): Test {
  return (texts) => {
    const known = texts.envelope.field(name)
    if (known !== undefined) return known !== null && foldText(known).includes(needle)
    return texts.fields.some((field) => field.name === name && foldText(field.text).includes(needle))
  }
}
