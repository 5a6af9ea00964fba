import type { Address } from './address.ts'
import type { Envelope } from './envelope.ts'
import type { Disposition, Parameter } from './parameters.ts'
import type { Part } from './part.ts'
import type { MessageScan } from './scan.ts'

/** Everything about a stored message that its readers need besides its octets. `Sections` of section.ts fits it. */
export interface StoredStructure {
  readonly octets: number
  readonly lines: number
  readonly headerOctets: number
  readonly hasHeader: boolean
  readonly root: Part
}

/** Grows by one whenever older text could not be read as it is. */
const VERSION = 1

/** The text in the store was written by a version of this program that orders things otherwise, or is damaged. */
export class ForeignStructure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ForeignStructure'
  }
}

type Packed = null | number | string | Packed[]

/** Arrays in the order of the reader below; what is absent at the end is not written. */
function trim(values: Packed[]): Packed[] {
  let length = values.length
  while (length > 0) {
    const value = values[length - 1]
    if (value !== null && !(Array.isArray(value) && value.length === 0)) break
    length--
  }
  return length === values.length ? values : values.slice(0, length)
}

function packAddresses(list: readonly Address[]): Packed {
  return list.flatMap(({ name, mailbox, host }) => [name, mailbox, host])
}

function unpackAddresses(packed: Packed | undefined): Address[] {
  const flat = (packed ?? []) as (string | null)[]
  const list: Address[] = []
  for (let index = 0; index < flat.length; index += 3) {
    list.push({ name: flat[index] ?? null, mailbox: flat[index + 1] ?? null, host: flat[index + 2] ?? null })
  }
  return list
}

function packEnvelope(envelope: Envelope): Packed {
  const { from, sender, replyTo } = envelope
  return trim([
    envelope.date,
    envelope.subject,
    packAddresses(from),
    // Null: as From.
    sender === from ? null : packAddresses(sender),
    replyTo === from ? null : packAddresses(replyTo),
    packAddresses(envelope.to),
    packAddresses(envelope.cc),
    packAddresses(envelope.bcc),
    envelope.inReplyTo,
    envelope.messageId,
    envelope.references,
  ])
}

function unpackEnvelope(packed: Packed[]): Envelope {
  const [date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId, references] = packed
  const fromList = unpackAddresses(from)
  return {
    date: (date ?? null) as string | null,
    subject: (subject ?? null) as string | null,
    from: fromList,
    sender: Array.isArray(sender) ? unpackAddresses(sender) : fromList,
    replyTo: Array.isArray(replyTo) ? unpackAddresses(replyTo) : fromList,
    to: unpackAddresses(to),
    cc: unpackAddresses(cc),
    bcc: unpackAddresses(bcc),
    inReplyTo: (inReplyTo ?? null) as string | null,
    messageId: (messageId ?? null) as string | null,
    references: (references ?? []) as string[],
  }
}

function packParameters(parameters: readonly Parameter[]): Packed[] {
  const packed: Packed[] = []
  for (const [name, value] of parameters) packed.push(name, value)
  return packed
}

function packPart(part: Part): Packed {
  const { disposition } = part
  return trim([
    `${part.type}/${part.subtype}`,
    part.headerOffset,
    part.bodyOffset,
    part.octets,
    part.lines,
    part.encoding === '7bit' ? null : part.encoding,
    packParameters(part.parameters),
    part.parts.map(packPart),
    disposition === null ? null : [disposition.type, ...packParameters(disposition.parameters)],
    part.id,
    part.description,
    part.language,
    part.location,
    part.md5,
    part.message === undefined ? null : [packEnvelope(part.message.envelope)],
  ])
}

function unpackParameters(flat: string[], from: number): Parameter[] {
  const parameters: Parameter[] = []
  for (let index = from; index + 1 < flat.length; index += 2) {
    parameters.push([flat[index] as string, flat[index + 1] as string])
  }
  return parameters
}

function unpackDisposition(packed: Packed | undefined): Disposition | null {
  if (!Array.isArray(packed)) return null
  const flat = packed as string[]
  return { type: flat[0] as string, parameters: unpackParameters(flat, 1) }
}

function unpackPart(packed: Packed[]): Part {
  const [media, headerOffset, bodyOffset, octets, lines, encoding, parameters, parts, ...rest] = packed
  const [disposition, id, description, language, location, md5, message] = rest
  const slash = (media as string).indexOf('/')
  const part: Part = {
    type: (media as string).slice(0, slash),
    subtype: (media as string).slice(slash + 1),
    parameters: unpackParameters((parameters ?? []) as string[], 0),
    id: (id ?? null) as string | null,
    description: (description ?? null) as string | null,
    encoding: (encoding ?? '7bit') as string,
    disposition: unpackDisposition(disposition),
    language: (language ?? []) as string[],
    location: (location ?? null) as string | null,
    md5: (md5 ?? null) as string | null,
    headerOffset: headerOffset as number,
    bodyOffset: bodyOffset as number,
    octets: octets as number,
    lines: lines as number,
    parts: ((parts ?? []) as Packed[][]).map(unpackPart),
  }
  if (Array.isArray(message)) part.message = { envelope: unpackEnvelope(message[0] as Packed[]) }
  return part
}

/** The structure as a short JSON text, some hundred octets for an ordinary message. */
export function encodeStructure(scan: StoredStructure | MessageScan): string {
  const { octets, lines, headerOctets, hasHeader, root } = scan
  return JSON.stringify([VERSION, octets, lines, headerOctets, hasHeader ? 1 : 0, packPart(root)])
}

/**
 * Reads back what `encodeStructure` wrote.
 *
 * @throws {ForeignStructure} The text has another version, or is no structure at all.
 */
export function decodeStructure(text: string): StoredStructure {
  try {
    return unpack(JSON.parse(text))
  } catch (cause) {
    if (cause instanceof ForeignStructure) throw cause
    throw new ForeignStructure('Cannot read message structure: the text is damaged', { cause })
  }
}

function unpack(packed: unknown): StoredStructure {
  const [version, octets, lines, headerOctets, hasHeader, root] = Array.isArray(packed) ? packed : []
  if (version !== VERSION) {
    throw new ForeignStructure(`Cannot read message structure: expected version ${VERSION}, found ${version}`)
  }
  return { octets, lines, headerOctets, hasHeader: hasHeader === 1, root: unpackPart(root) }
}
