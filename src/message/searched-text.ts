/**
 * The texts of a message that are searched, RFC 3501 §6.4.4: its header, decoded; and below it every text part in its
 * charset (of HTML what a person reads), the header and texts of enclosed messages, and the names of attachments.
 */
import { decodeCharset } from './charset.ts'
import { decodeEncodedWords } from './encoded-word.ts'
import { fieldText, latin1, parseHeader } from './header.ts'
import { htmlToText } from './html-text.ts'
import { parameterValue } from './parameters.ts'
import { isMessage, isMultipart, type Part } from './part.ts'
import { fileName } from './text.ts'
import { decodeTransferEncoding } from './transfer-encoding.ts'

/** Octets of one part, as encoded, that are searched. */
export const searchedPartOctets = 16 * 1_048_576
/** Of one header; more than any that is accepted. */
export const searchedHeaderOctets = 1_048_576

/** Reads octets of the message; short only at its end. */
export type ReadOctets = (offset: number, octets: number) => Uint8Array

/** One header field. */
export interface SearchedField {
  /** In upper case. */
  readonly name: string
  /** Unfolded, encoded words decoded. */
  readonly text: string
}

export function searchedFields(header: Uint8Array): SearchedField[] {
  return parseHeader(latin1(header)).fields.map(({ name, value }) => ({
    name: name.toUpperCase(),
    text: decodeEncodedWords(fieldText(value)),
  }))
}

/** All of a header as one text, a line for each field. */
export function headerText(fields: readonly SearchedField[]): string {
  return fields.map(({ name, text }) => `${name}: ${text}`).join('\n')
}

/** The texts below the header, one after another, with lines that end in LF; or, for a reader who does not care, as they end. */
export function* bodyTexts(
  part: Part,
  read: ReadOctets,
  lines: 'lf' | 'as they are' = 'lf',
): Generator<string, void> {
  if (isMultipart(part) && part.parts.length > 0) {
    for (const child of part.parts) yield* bodyTexts(child, read, lines)
    return
  }
  const name = fileName(part)
  if (name !== null) yield name
  const inner = isMessage(part) ? part.parts[0] : undefined
  if (inner !== undefined) {
    const octets = Math.min(inner.bodyOffset - inner.headerOffset, searchedHeaderOctets)
    yield headerText(searchedFields(read(inner.headerOffset, octets)))
    yield* bodyTexts(inner, read, lines)
  } else if (part.type === 'text' || isMultipart(part) || isMessage(part)) {
    const text = partText(part, read)
    yield lines === 'lf' ? text.replaceAll('\r\n', '\n') : text
  }
}

function partText(part: Part, read: ReadOctets): string {
  const octets = read(part.bodyOffset, Math.min(part.octets, searchedPartOctets))
  // RFC 2046 §4.1.2: the default is US-ASCII, which decodeCharset reads generously.
  const charset = parameterValue(part.parameters, 'charset') ?? 'us-ascii'
  const text = decodeCharset(decodeTransferEncoding(octets, part.encoding), charset)
  return part.type === 'text' && part.subtype === 'html' ? htmlToText(text) : text
}
