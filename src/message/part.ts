import type { Envelope } from './envelope.ts'
import { type HeaderField, fieldText } from './header.ts'
import {
  type ContentType,
  type Disposition,
  type Parameter,
  parseContentType,
  parseDisposition,
  parseLanguages,
  parseToken,
} from './parameters.ts'

/**
 * One part of a message, RFC 2045 §2.4, or the message itself at the root. A plain tree that JSON can carry.
 * All offsets count from the start of the message as received.
 */
export interface Part {
  /** Lower case, tokens only. */
  type: string
  subtype: string
  /** Names in lower case; values decoded by RFC 2231, but encoded words (which do not belong there) left alone. */
  parameters: Parameter[]
  id: string | null
  description: string | null
  /** Content-Transfer-Encoding, lower case; `7bit` when there is none, RFC 2045 §6.1. */
  encoding: string
  disposition: Disposition | null
  language: string[]
  location: string | null
  md5: string | null
  /** Where the part's header begins: for a part of a multipart, after its delimiter line. */
  headerOffset: number
  /** Where its body begins, after the empty line. */
  bodyOffset: number
  /** Of the body, as encoded. The CRLF before a delimiter belongs to the delimiter, RFC 2046 §5.1.1. */
  octets: number
  /** Lines of the body; a last line that no line end closes counts too. */
  lines: number
  /** The parts of a multipart; for message/rfc822 that was descended, one: the message inside. */
  parts: Part[]
  /** Present when this is a message/rfc822 or message/global whose message stands in `parts[0]`. */
  message?: { envelope: Envelope }
}

/** RFC 2045 §5.2: what has no Content-Type, or one that cannot be read, is US-ASCII text. */
export function plainText(): ContentType {
  return { type: 'text', subtype: 'plain', parameters: [['charset', 'us-ascii']] }
}

/** RFC 2046 §5.1.5: the default within multipart/digest. */
function digestPart(): ContentType {
  return { type: 'message', subtype: 'rfc822', parameters: [] }
}

/** Makes a part from its header's fields; octets and lines are filled in when its end is found. */
export function makePart(
  fields: readonly HeaderField[],
  headerOffset: number,
  bodyOffset: number,
  inDigest: boolean,
): Part {
  let contentType: ContentType | null = null
  let typed = false
  const part: Part = {
    type: 'text',
    subtype: 'plain',
    parameters: [],
    id: null,
    description: null,
    encoding: '7bit',
    disposition: null,
    language: [],
    location: null,
    md5: null,
    headerOffset,
    bodyOffset,
    octets: 0,
    lines: 0,
    parts: [],
  }
  for (const field of fields) {
    const first = field.name.charCodeAt(0) | 32
    if (first !== 99 || field.name[7] !== '-') continue
    const value = fieldText(field.value)
    switch (field.name.toLowerCase()) {
      case 'content-type':
        // The first of several counts: it is the one a filter in front of us will have looked at.
        if (!typed) contentType = parseContentType(value)
        typed = true
        break
      case 'content-transfer-encoding':
        part.encoding = parseToken(value) || '7bit'
        break
      case 'content-disposition':
        part.disposition ??= parseDisposition(value)
        break
      case 'content-id':
        part.id ??= value
        break
      case 'content-description':
        part.description ??= value
        break
      case 'content-language':
        part.language = parseLanguages(value)
        break
      case 'content-location':
        part.location ??= value
        break
      case 'content-md5':
        part.md5 ??= value
        break
    }
  }
  return withType(part, contentType ?? (inDigest && !typed ? digestPart() : plainText()))
}

/** Gives a part another type. @returns That part. */
export function withType(part: Part, { type, subtype, parameters }: ContentType): Part {
  part.type = type
  part.subtype = subtype
  part.parameters = parameters
  return part
}

/** Whether the part carries its content in the clear; RFC 2045 §6.4 allows nothing else for composite types. */
export function isIdentityEncoded(part: Part): boolean {
  return part.encoding !== 'base64' && part.encoding !== 'quoted-printable'
}

export function isMultipart(part: Part): boolean {
  return part.type === 'multipart'
}

/** RFC 9051 §7.5.2 treats message/global (RFC 6532 §3.7) as it does message/rfc822. */
export function isMessage(part: Part): boolean {
  return part.type === 'message' && (part.subtype === 'rfc822' || part.subtype === 'global')
}
