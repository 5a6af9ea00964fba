/** Header fields as DKIM and ARC hash them, RFC 6376 §3.4.1, §3.4.2 and §3.7. */
import type { HeaderField } from '../../message/header.ts'
import type { Canonicalisation } from './body-hash.ts'

/** A field with the text it has in the message; one char per octet. */
export interface SignedField {
  readonly name: string
  /** What follows the colon, folded, without the last CRLF. */
  readonly value: string
  /** Name, colon and value as they stand, without the last CRLF. */
  readonly raw: string
  /** Its relaxed form once it has been made: several signatures cover the same fields. */
  relaxed?: string
}

/** @param text The header that the field was read from, one char per octet. */
export function signedField(field: HeaderField, text: string): SignedField {
  const end = field.offset + field.octets
  const raw = text.slice(field.offset, text.startsWith('\r\n', end - 2) ? end - 2 : end)
  return { name: field.name, value: field.value, raw }
}

/** @returns Without CRLF. */
export function canonicalField(field: SignedField, canonicalisation: Canonicalisation): string {
  if (canonicalisation === 'simple') return field.raw
  field.relaxed ??= relax(field)
  return field.relaxed
}

function relax(field: SignedField): string {
  // Not trim(): it would take NBSP and other octets that are no WSP.
  const value = field.value.replace(/\r\n/g, '').replace(/[ \t]+/g, ' ')
  const from = value.startsWith(' ') ? 1 : 0
  const to = value.endsWith(' ') ? value.length - 1 : value.length
  return `${field.name.toLowerCase()}:${value.slice(from, to)}`
}

/**
 * Picks what h= names, RFC 6376 §5.4.2: of several fields with one name the lowest first, and nothing when there are no
 * more, so that a field that is named once too often cannot be added later.
 */
export class FieldPicker {
  readonly #byName = new Map<string, SignedField[]>()

  /** @param fields From top to bottom. */
  constructor(fields: readonly SignedField[]) {
    for (const field of fields) {
      const name = field.name.toLowerCase()
      const same = this.#byName.get(name)
      if (same === undefined) this.#byName.set(name, [field])
      else same.push(field)
    }
  }

  /** @param names In lower case. @param own The signature's own field, which is never among them: §3.5, h=. */
  pick(names: readonly string[], own: SignedField | null = null): SignedField[] {
    const taken = new Map<string, number>()
    const picked: SignedField[] = []
    for (const name of names) {
      const same = this.#byName.get(name)
      if (same === undefined) continue
      let count = taken.get(name) ?? 0
      if (own !== null && same[same.length - 1 - count] === own) count++
      const field = same[same.length - 1 - count]
      if (field === undefined) continue
      taken.set(name, count + 1)
      picked.push(field)
    }
    return picked
  }

  count(name: string): number {
    return this.#byName.get(name)?.length ?? 0
  }
}

/**
 * What is signed: the fields, then the signature's own field with an empty b=, without its CRLF. RFC 6376 §3.7.
 *
 * @param own As it stands in the message.
 */
export function signedText(
  fields: readonly SignedField[],
  own: SignedField,
  canonicalisation: Canonicalisation,
): Buffer {
  let text = ''
  for (const field of fields) text += `${canonicalField(field, canonicalisation)}\r\n`
  text += canonicalField(withoutSignature(own), canonicalisation)
  return Buffer.from(text, 'latin1')
}

/** The field with the value of b= taken away, and nothing else of it changed. */
export function withoutSignature(field: SignedField): SignedField {
  const value = emptyB(field.value)
  if (value === null) return field
  return { name: field.name, value, raw: field.raw.slice(0, field.raw.length - field.value.length) + value }
}

function emptyB(value: string): string | null {
  for (let from = 0; from <= value.length; ) {
    const semicolon = value.indexOf(';', from)
    const end = semicolon < 0 ? value.length : semicolon
    const equals = value.indexOf('=', from)
    if (equals >= 0 && equals < end && /^[ \t\r\n]*b[ \t\r\n]*$/.test(value.slice(from, equals)))
      return value.slice(0, equals + 1) + value.slice(end)
    from = end + 1
  }
  return null
}
