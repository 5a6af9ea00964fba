/** What SEARCH sees of one message: its header decoded, and the texts in it, read in pieces. RFC 3501 §6.4.4. */
import { decodeEncodedWords } from '../../../message/encoded-word.ts'
import { fieldText, latin1, parseHeader } from '../../../message/header.ts'
import { isMessage, isMultipart, type Part } from '../../../message/part.ts'
import type { Email, Store } from '../../../store/store.ts'
import { monthNames } from '../../wire/date.ts'
import { MessageSections } from '../fetch/sections.ts'
import { EnvelopeText } from './envelope-text.ts'
import { foldCase, PartTextReader } from './part-text.ts'

export class MessageText {
  readonly #store: Pick<Store, 'readBody'>
  readonly #email: Email
  readonly #sections: MessageSections
  /** Gives way to others between two pieces. */
  readonly #breathe: () => Promise<void>
  #envelope: EnvelopeText | null = null
  #fields: readonly Field[] | null = null

  constructor(store: Store, email: Email, breathe: () => Promise<void>) {
    this.#store = store
    this.#email = email
    this.#sections = new MessageSections(store, email)
    this.#breathe = breathe
  }

  get headerOctets(): number {
    return this.#sections.structure.headerOctets
  }

  /** The day in the Date field as it is written there, midnight UTC; null when there is none. */
  get sentDay(): number | null {
    const { date } = this.#envelopeText
    const found =
      date === null ? null : /(?:^|[\s,])([0-9]{1,2})\s+([A-Za-z]{3})[a-z]*\s+([0-9]{4})/.exec(date)
    const month = monthNames.findIndex((name) => name.toUpperCase() === found?.[2]?.toUpperCase())
    return found === null || month < 0 ? null : Date.UTC(Number(found[3]), month, Number(found[1]))
  }

  /** Whether a field of that name holds the text; '' asks only for the field. */
  async fieldHolds(name: string, text: string): Promise<boolean> {
    const needle = foldCase(text)
    const known = this.#envelopeText.field(name.toUpperCase())
    if (known !== undefined) return known !== null && foldCase(known).includes(needle)
    const wanted = name.toLowerCase()
    return (await this.#headerFields()).some((field) => field.name === wanted && field.text.includes(needle))
  }

  /** Whether any field holds the text. */
  async headerHolds(text: string): Promise<boolean> {
    const needle = foldCase(text)
    return (await this.#headerFields()).some((field) => `${field.name}: ${field.text}`.includes(needle))
  }

  get #envelopeText(): EnvelopeText {
    return (this.#envelope ??= new EnvelopeText(this.#email.envelope))
  }

  async #headerFields(): Promise<readonly Field[]> {
    return (this.#fields ??= readFields(await this.#sections.header()))
  }

  /** Whether a text in the message, decoded, holds the text. */
  async bodyHolds(text: string): Promise<boolean> {
    return this.#partHolds(this.#sections.structure.root, foldCase(text))
  }

  async #partHolds(part: Part, needle: string): Promise<boolean> {
    if (isMultipart(part) && part.parts.length > 0) {
      for (const child of part.parts) if (await this.#partHolds(child, needle)) return true
      return false
    }
    const inner = isMessage(part) ? part.parts[0] : undefined
    if (inner !== undefined)
      return (await this.#innerHeaderHolds(inner, needle)) || this.#partHolds(inner, needle)
    if (part.type !== 'text' && !isMultipart(part)) return false
    const reader = new PartTextReader(this.#store, this.#email.body, part)
    for (let text = await reader.next(); text !== null; text = await reader.next()) {
      if (reader.holds(text, needle)) return true
      if (!reader.atEnd) await this.#breathe()
    }
    return false
  }

  /** The header of a message inside the message. */
  async #innerHeaderHolds(part: Part, needle: string): Promise<boolean> {
    const octets = Math.min(part.bodyOffset - part.headerOffset, headerOctets)
    const header = await this.#store.readBody(this.#email.body, part.headerOffset, octets)
    return readFields(header).some((field) => `${field.name}: ${field.text}`.includes(needle))
  }
}

/** Of the header of an enclosed message that are looked at. */
const headerOctets = 262_144

/** Name in lower case, text decoded and case folded. */
interface Field {
  readonly name: string
  readonly text: string
}

function readFields(header: Uint8Array): Field[] {
  return parseHeader(latin1(header)).fields.map((field) => ({
    name: field.name.toLowerCase(),
    text: foldCase(decodeEncodedWords(fieldText(field.value))),
  }))
}
