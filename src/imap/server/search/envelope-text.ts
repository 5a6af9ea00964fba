/**
 * Reads back the ENVELOPE of a stored message, which is what FROM, TO, CC, BCC and SUBJECT of SEARCH are about (RFC 3501
 * §6.4.4: "in the envelope structure's … field"), and the dates of SENT keys. It is at hand where the message is not.
 */
import { decodeEncodedWords } from '../../../message/encoded-word.ts'

/** The fields of the envelope that SEARCH asks for, by its keys, and where they stand: RFC 3501 §7.4.2. */
const places: Record<string, number> = { SUBJECT: 1, FROM: 2, TO: 5, CC: 6, BCC: 7 }
const dateSlot = 0

type Value = string | null | Value[]

export class EnvelopeText {
  readonly #values: Value[]

  /** @param envelope As stored: quoted strings, NIL and parentheses, 7-bit. */
  constructor(envelope: string) {
    const [values] = readList(envelope, 1)
    this.#values = values
  }

  get date(): string | null {
    const date = this.#values[dateSlot]
    return typeof date === 'string' ? date : null
  }

  /**
   * The text of a field, encoded words decoded; several addresses on a line each.
   *
   * @param key SUBJECT, FROM, TO, CC or BCC.
   * @returns Null when the message has no such field; undefined when the envelope knows no such field.
   */
  field(key: string): string | null | undefined {
    const place = Object.hasOwn(places, key) ? places[key] : undefined
    if (place === undefined) return undefined
    const value = this.#values[place] ?? null
    if (value === null || typeof value === 'string') return value === null ? null : decodeEncodedWords(value)
    return value.map(addressText).join('\n')
  }
}

/** `Ada <ada@client.example>`; the name of a group stands in the place of the mailbox. */
function addressText(address: Value): string {
  if (!Array.isArray(address)) return ''
  const [name, , mailbox, host] = address
  const spec = `${mailbox ?? ''}${host == null ? '' : `@${host as string}`}`
  return typeof name === 'string' ? `${decodeEncodedWords(name)} <${spec}>` : spec
}

/** @param start Behind the opening parenthesis. @returns The list, and the place behind its closing one. */
function readList(text: string, start: number): [Value[], number] {
  const values: Value[] = []
  let at = start
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === ')') return [values, at + 1]
    if (char === '(') {
      const [list, end] = readList(text, at + 1)
      values.push(list)
      at = end
    } else if (char === '"') {
      const end = endOfQuoted(text, at + 1)
      values.push(text.slice(at + 1, end).replace(/\\(["\\])/g, '$1'))
      at = end + 1
    } else if (text.startsWith('NIL', at)) {
      values.push(null)
      at += 3
    } else {
      at++
    }
  }
  return [values, at]
}

function endOfQuoted(text: string, start: number): number {
  let at = start
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1
  return at
}
