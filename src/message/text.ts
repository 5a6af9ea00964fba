import { decodeCharset } from './charset.ts'
import { decodeEncodedWords } from './encoded-word.ts'
import { htmlToText } from './html-text.ts'
import { parameterValue } from './parameters.ts'
import { type Part, isMessage, isMultipart } from './part.ts'
import { decodeTransferEncoding } from './transfer-encoding.ts'

/** Octets of a part that are turned into text for showing. */
const TEXT_OCTETS = 4 * 1024 * 1024

/** The octets of a part's body, as encoded. */
export function partBody(message: Uint8Array, part: Part): Uint8Array {
  return message.subarray(part.bodyOffset, part.bodyOffset + part.octets)
}

/** The content of a part, its transfer encoding undone. */
export function partContent(message: Uint8Array, part: Part): Uint8Array {
  return decodeTransferEncoding(partBody(message, part), part.encoding)
}

/**
 * The text of a text part, with lines that end in LF.
 *
 * @param message The message as received, from its start.
 */
export function partText(message: Uint8Array, part: Part): string {
  const body = message.subarray(part.bodyOffset, part.bodyOffset + Math.min(part.octets, TEXT_OCTETS))
  // RFC 2046 §4.1.2: the default is US-ASCII, which decodeCharset reads generously.
  const charset = parameterValue(part.parameters, 'charset') ?? 'us-ascii'
  return decodeCharset(decodeTransferEncoding(body, part.encoding), charset).replaceAll('\r\n', '\n')
}

function isText(part: Part, subtype: string): boolean {
  return part.type === 'text' && part.subtype === subtype
}

/**
 * Whether a leaf is text for reading, in the way of RFC 8621 §4.1.4: plain or HTML, not declared an attachment, and with
 * a file name only where it comes first.
 */
function isReadable(part: Part, first: boolean): boolean {
  if (!isText(part, 'plain') && !isText(part, 'html')) return false
  // RFC 2183 §2.8: a disposition that is not known is an attachment.
  if (part.disposition !== null && part.disposition.type !== 'inline') return false
  return first || fileName(part) === null
}

/**
 * The leaves that make up what a person reads, in order. Of alternatives (RFC 2046 §5.1.4) the wanted kind, of a
 * multipart/related (RFC 2387) its root.
 *
 * @param prefer The kind of text that is taken where there is a choice.
 */
export function textParts(root: Part, prefer: 'plain' | 'html' = 'plain'): Part[] {
  return readableParts(root, prefer, true)
}

function readableParts(part: Part, prefer: 'plain' | 'html', first: boolean): Part[] {
  if (!isMultipart(part)) return isReadable(part, first) ? [part] : []
  const children = part.subtype === 'related' ? part.parts.slice(0, 1) : part.parts
  const read = children.map((child, index) => readableParts(child, prefer, index === 0))
  if (part.subtype !== 'alternative') return read.flat()
  const choices = read.filter((parts) => parts.length > 0)
  // RFC 2046 §5.1.4: the best comes last.
  return choices.findLast((parts) => parts.some((part) => isText(part, prefer))) ?? choices.at(-1) ?? []
}

/** The text of a message for a terminal: plain text where there is some, otherwise what HTML leaves. */
export function plainTextOf(message: Uint8Array, root: Part): string {
  return textParts(root)
    .map((part) => (isText(part, 'html') ? htmlToText(partText(message, part)) : partText(message, part)))
    .join('\n')
}

/** RFC 2183 §2.3, and the name parameter that came before it; encoded words are decoded though they are forbidden. */
export function fileName(part: Part): string | null {
  const name =
    parameterValue(part.disposition?.parameters ?? [], 'filename') ?? parameterValue(part.parameters, 'name')
  if (name === null) return null
  // It is a label. No path and no control passes, so that nobody can be led to write elsewhere.
  const text = decodeEncodedWords(name).replace(/[\x00-\x1f\x7f]/g, '')
  return text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
}

export interface Attachment {
  /** Null when the message gives it none. */
  readonly name: string | null
  /** `image/png`, lower case. */
  readonly type: string
  /** Of the body as encoded; base64 carries three quarters of it. */
  readonly octets: number
  /** Its numbers for IMAP and `findSection`. */
  readonly path: readonly number[]
  readonly part: Part
}

/** What comes with a message besides its text, in order; an enclosed message is one attachment. */
export function attachments(root: Part): Attachment[] {
  const list: Attachment[] = []
  const shown = new Set([...textParts(root, 'plain'), ...textParts(root, 'html')])
  const visit = (part: Part, path: number[]) => {
    if (isMultipart(part)) {
      for (const [index, child] of part.parts.entries()) visit(child, [...path, index + 1])
    } else if (!shown.has(part)) {
      // RFC 3501 §6.4.5: the body of a message that is no multipart is its part 1.
      const type = `${part.type}/${part.subtype}`
      const name = fileName(part) ?? (isMessage(part) ? subjectName(part) : null)
      list.push({ name, type, octets: part.octets, path: path.length === 0 ? [1] : path, part })
    }
  }
  visit(root, [])
  return list
}

function subjectName(part: Part): string | null {
  const subject = part.message?.envelope.subject
  return subject ? decodeEncodedWords(subject).replace(/[\x00-\x1f\x7f/\\]/g, ' ') + '.eml' : null
}
