import { decodeUtf8OrLatin1 } from './charset.ts'

/** One header field as it stands in the message. */
export interface HeaderField {
  /** As written; compare without case. */
  readonly name: string
  /** What follows the colon, still folded, one char per octet, without the last line end. */
  readonly value: string
  /** Where the name begins, from the start of the message. */
  readonly offset: number
  /** Length with folds and the last line end. */
  readonly octets: number
}

const SPACE = 32
const TAB = 9
const COLON = 58

/** Index after the name and its colon, when a field begins at `at`; -1 when none does. */
function afterColon(text: string, at: number): number {
  let index = at
  let code = text.charCodeAt(index)
  // RFC 5322 §2.2: ftext is %d33-57 / %d59-126.
  while (code > SPACE && code < 127 && code !== COLON) code = text.charCodeAt(++index)
  if (index === at) return -1
  // RFC 5322 §4.5: obsolete fields may have white space before the colon.
  for (;;) {
    while (code === SPACE || code === TAB) code = text.charCodeAt(++index)
    // A field that is folded there, which none must be, is still one to who unfolds first.
    const fold = text.startsWith('\r\n', index) ? index + 2 : text[index] === '\n' ? index + 1 : 0
    code = fold === 0 ? code : text.charCodeAt(fold)
    if (fold === 0 || (code !== SPACE && code !== TAB)) break
    index = fold
  }
  return code === COLON ? index + 1 : -1
}

/** Whether a line of text begins a header field: `field-name *WSP ":"`. */
export function isFieldLine(line: string): boolean {
  return afterColon(line, 0) >= 0
}

/**
 * Whether a message that begins with this line has a header. A mailbox file's own first line,
 * `From ada@client.example Mon Jan  1 10:20:30 2024`, comes in with old mail and counts.
 *
 * @param line Without LF.
 */
export function beginsHeader(line: string): boolean {
  if (isFieldLine(line)) return true
  // In two steps: as one expression it would take a long line many times over.
  const start = /^>?From \S/.exec(line)
  return start !== null && /\d:\d\d/.test(line.slice(start[0].length))
}

/**
 * Cuts a header into its fields, in order. Lines that are no field (an mbox `From ` line, junk) are passed over.
 *
 * @param text The header, one char per octet, with or without its empty line.
 * @param limit Fields at most.
 * @param base Offset of the header within the message.
 * @returns The fields, and whether there were more than the limit.
 */
export function parseHeader(
  text: string,
  limit = Infinity,
  base = 0,
): { fields: HeaderField[]; more: boolean } {
  const fields: HeaderField[] = []
  const end = text.length
  let at = 0
  while (at < end) {
    let lineEnd = text.indexOf('\n', at)
    if (lineEnd < 0) lineEnd = end
    if (lineEnd === at || (lineEnd === at + 1 && text.charCodeAt(at) === 13)) break
    let next = lineEnd + 1
    // RFC 5322 §4.2: obs-FWS lets a folded line be white space only, so such a line does not end the header.
    for (let code = text.charCodeAt(next); code === SPACE || code === TAB; code = text.charCodeAt(next)) {
      lineEnd = text.indexOf('\n', next)
      if (lineEnd < 0) lineEnd = end
      next = lineEnd + 1
    }
    const after = afterColon(text, at)
    if (after >= 0) {
      if (fields.length >= limit) return { fields, more: true }
      const valueEnd = lineEnd < end && text.charCodeAt(lineEnd - 1) === 13 ? lineEnd - 1 : lineEnd
      let nameEnd = after - 1
      while (text.charCodeAt(nameEnd - 1) <= SPACE) nameEnd--
      fields.push({
        name: text.slice(at, nameEnd),
        value: text.slice(after, Math.max(after, valueEnd)),
        offset: base + at,
        octets: Math.min(next, end) - at,
      })
    }
    at = next
  }
  return { fields, more: false }
}

/** RFC 5322 §2.2.3: a folded field is unfolded by removing each line end. White space at both ends goes too. */
export function unfold(value: string): string {
  return (value.includes('\n') ? value.replace(/\r?\n/g, '') : value).trim()
}

/** The text of a field's value: unfolded, and 8-bit octets read as UTF-8 (RFC 6532 §3.2) or else as Latin-1. */
export function fieldText(value: string): string {
  return decodeUtf8OrLatin1(unfold(value))
}

/** Octets as a string of one char per octet. */
export function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
}

/** The text of the first field of a name, in lower case; null when there is none. */
export function firstValue(
  { headerFields }: { readonly headerFields: readonly HeaderField[] },
  name: string,
): string | null {
  for (const field of headerFields) {
    if (field.name.length === name.length && field.name.toLowerCase() === name) return fieldText(field.value)
  }
  return null
}

/** How many fields have a name, in lower case. */
export function countFields(
  { headerFields }: { readonly headerFields: readonly HeaderField[] },
  wanted: string,
): number {
  let count = 0
  for (const { name } of headerFields) {
    if (name.length === wanted.length && name.toLowerCase() === wanted) count++
  }
  return count
}

/**
 * The values of all fields of one name, in order, unfolded; encoded words are left alone.
 *
 * @param source A header's octets (a body after it does no harm), or anything that has its fields.
 */
export function headerValues(
  source: Uint8Array | { readonly headerFields: readonly HeaderField[] },
  name: string,
): string[] {
  const fields = source instanceof Uint8Array ? parseHeader(latin1(source)).fields : source.headerFields
  const wanted = name.toLowerCase()
  const values: string[] = []
  for (const field of fields) {
    if (field.name.length === wanted.length && field.name.toLowerCase() === wanted) {
      values.push(fieldText(field.value))
    }
  }
  return values
}
