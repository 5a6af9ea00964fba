/** A message as a filter wants it: fields inserted, changed and removed, the body replaced. */
import { fieldsOf } from './head-and-body.ts'

/** One field or, with no name, lines between fields that are none. */
interface Entry {
  readonly name: string
  readonly text: string
}

export class ChangedMessage {
  #entries: Entry[]
  readonly #separator: string
  #body: Uint8Array

  /** @param header With the CRLF of its last line. @param separator The empty line, or ''. */
  constructor(header: string, separator: string, body: Uint8Array) {
    this.#entries = entriesOf(header)
    this.#separator = separator
    this.#body = body
  }

  /** @param position Fields that stand before it; more than there are means the end. */
  insert(position: number, field: string): void {
    const fields = this.#entries.flatMap((entry, index) => (entry.name === '' ? [] : [index]))
    const at = fields[position] ?? this.#entries.length
    this.#entries.splice(at, 0, { name: nameOf(field), text: field })
  }

  /**
   * Changes the n-th field of a name, or adds it to the end when there is none.
   *
   * @param which From 1. @param field With CRLF; null removes.
   */
  change(name: string, which: number, field: string | null): void {
    const same = this.#entries.flatMap((entry, index) => (sameName(entry.name, name) ? [index] : []))
    const at = same[Math.max(which, 1) - 1]
    if (at === undefined) {
      if (field !== null) this.#entries.push({ name, text: field })
    } else if (field === null) this.#entries.splice(at, 1)
    else this.#entries[at] = { name, text: field }
  }

  removeAll(name: string): void {
    this.#entries = this.#entries.filter((entry) => !sameName(entry.name, name))
  }

  replaceBody(body: Uint8Array): void {
    this.#body = body
  }

  octets(): Buffer {
    const header = this.#entries.map(({ text }) => text).join('')
    const closed = header === '' || header.endsWith('\r\n') ? header : `${header}\r\n`
    // A field above a message that had no header must not run into its first line.
    const separator =
      this.#separator === '' && this.#body.length > 0 && closed !== '' ? '\r\n' : this.#separator
    return Buffer.concat([Buffer.from(closed + separator, 'latin1'), this.#body])
  }
}

function entriesOf(header: string): Entry[] {
  const entries: Entry[] = []
  let at = 0
  for (const field of fieldsOf(header)) {
    if (field.offset > at) entries.push({ name: '', text: header.slice(at, field.offset) })
    at = field.offset + field.octets
    entries.push({ name: field.name, text: header.slice(field.offset, at) })
  }
  if (at < header.length) entries.push({ name: '', text: header.slice(at) })
  return entries
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).trimEnd()
}

function sameName(one: string, other: string): boolean {
  return one !== '' && one.toLowerCase() === other.toLowerCase()
}

/** RFC 5322 §2.2. */
export function isFieldName(name: string): boolean {
  return /^[\x21-\x39\x3b-\x7e]{1,100}$/.test(name)
}

/**
 * A field with its CRLF. Whatever line ends the value has become folds, so that it cannot begin another field or end
 * the header.
 *
 * @param name See `isFieldName`. @param value One char per octet; a space comes before it unless `verbatim`.
 */
export function fieldText(name: string, value: string, verbatim = false): string {
  const lines = value
    .replaceAll('\0', '')
    .split(/\r\n|\r|\n/)
    .map((line, index) => (index === 0 || /^[ \t]/.test(line) ? line : ` ${line}`))
    .filter((line, index) => index === 0 || line.trim() !== '')
  return `${name}:${verbatim ? '' : ' '}${lines.join('\r\n')}\r\n`
}
