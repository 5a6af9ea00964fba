/** Reads back the ENVELOPE of a stored message, which is at hand where the message itself is not. */
import { decodeEncodedWords } from './encoded-word.ts'

/** Fields of the envelope with text in them, by their names in upper case, and where they stand: RFC 3501 §7.4.2. */
const places: Readonly<Record<string, number>> = { SUBJECT: 1, FROM: 2, TO: 5, CC: 6, BCC: 7 }
const datePlace = 0

/** The fields that `StoredEnvelope.field` knows. */
export const envelopeFields: readonly string[] = Object.keys(places)

const months = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')

type Value = string | null | Value[]

export class StoredEnvelope {
  readonly #values: Value[]

  /** @param envelope As `imapEnvelope` wrote it: quoted strings, NIL and parentheses, 7-bit. */
  constructor(envelope: string) {
    this.#values = readList(envelope, 1)[0]
  }

  /** The day in the Date field as it is written there, midnight UTC; null when there is none. */
  get sentDay(): number | null {
    const date = this.#values[datePlace]
    const found =
      typeof date === 'string'
        ? /(?:^|[\s,])([0-9]{1,2})\s+([A-Za-z]{3})[a-z]*\s+([0-9]{4})/.exec(date)
        : null
    const month = months.indexOf(found?.[2]?.toUpperCase() ?? '')
    return found === null || month < 0 ? null : Date.UTC(Number(found[3]), month, Number(found[1]))
  }

  /**
   * The text of a field, encoded words decoded; several addresses on a line each.
   *
   * @param name In upper case.
   * @returns Null when the message has no such field; undefined when the envelope knows no such field.
   */
  field(name: string): string | null | undefined {
    const place = Object.hasOwn(places, name) ? places[name] : undefined
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
