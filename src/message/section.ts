import { latin1, parseHeader } from './header.ts'
import { type Part, isMessage, isMultipart } from './part.ts'

/** What both a `MessageScan` and a `StoredStructure` know. */
export interface Sections {
  readonly root: Part
  readonly octets: number
  readonly headerOctets: number
  readonly hasHeader: boolean
}

/** `all` is the section without a word: BODY[] or BODY[1.2]. RFC 3501 §6.4.5. */
export type SectionKind = 'all' | 'header' | 'text' | 'mime'

export interface OctetRange {
  readonly offset: number
  readonly octets: number
}

/**
 * Finds a part by its numbers, RFC 3501 §6.4.5: a part of a multipart counts from 1; a message that is no multipart has
 * a part 1, its body; numbers go on through a message/rfc822 into the message inside.
 *
 * @returns Null when there is no such part.
 */
export function findPart(root: Part, path: readonly number[]): Part | null {
  let part: Part | null = null
  for (const number of path) {
    // The entity whose parts the number counts.
    let entity: Part | undefined = root
    if (part !== null && isMultipart(part)) entity = part
    else if (part !== null) entity = isMessage(part) ? part.parts[0] : undefined
    if (entity === undefined) return null
    const found: Part | undefined = isMultipart(entity)
      ? entity.parts[number - 1]
      : number === 1
        ? entity
        : undefined
    if (found === undefined) return null
    part = found
  }
  return part
}

/**
 * Finds the octets of an IMAP section, from the start of the message as received. Where trace fields stand before it
 * in `prefix`, the reader adds them: to `[]` and `[HEADER]` in front, to every other offset as a shift.
 *
 * @param path Part numbers; empty for the message itself.
 * @returns Null when there is no such section, which IMAP answers with NIL or an empty string.
 */
export function findSection(
  message: Sections,
  path: readonly number[],
  kind: SectionKind,
): OctetRange | null {
  if (path.length === 0) {
    if (kind === 'all') return { offset: 0, octets: message.octets }
    if (kind === 'header') return { offset: 0, octets: message.headerOctets }
    // RFC 3501 §6.4.5: MIME must be preceded by numbers.
    if (kind === 'mime') return null
    return { offset: message.headerOctets, octets: message.octets - message.headerOctets }
  }
  const part = findPart(message.root, path)
  if (part === null) return null
  if (kind === 'all') return { offset: part.bodyOffset, octets: part.octets }
  if (kind === 'mime') return { offset: part.headerOffset, octets: part.bodyOffset - part.headerOffset }
  // RFC 3501 §6.4.5: HEADER and TEXT after numbers refer to a message/rfc822.
  const embedded = isMessage(part) ? part.parts[0] : undefined
  if (embedded === undefined) return null
  if (kind === 'text') return { offset: embedded.bodyOffset, octets: embedded.octets }
  // A header that a delimiter breaks off: the CRLF before that is the delimiter's, and not of the part.
  const end = Math.min(embedded.bodyOffset, part.bodyOffset + part.octets)
  return { offset: embedded.headerOffset, octets: end - embedded.headerOffset }
}

/**
 * HEADER.FIELDS and HEADER.FIELDS.NOT, RFC 3501 §6.4.5: the fields of those names (or all others) as they stand, in
 * order, and the empty line.
 *
 * @param names Compared without case.
 */
export function selectHeaderFields(header: Uint8Array, names: readonly string[], not: boolean): Uint8Array {
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  const kept: Uint8Array[] = []
  for (const field of parseHeader(latin1(header)).fields) {
    if (wanted.has(field.name.toLowerCase()) === not) continue
    const octets = header.subarray(field.offset, field.offset + field.octets)
    kept.push(octets)
    // The last field of a header that simply stops has no line end of its own.
    if (octets.at(-1) !== 10) kept.push(CRLF)
  }
  return Buffer.concat([...kept, CRLF])
}

const CRLF = Buffer.from('\r\n')
