/**
 * The octets of BODY[…], RFC 3501 §6.4.5.
 *
 * A stored message is a prefix (trace fields, of each recipient's own) and a body (as received, with the sender's header).
 * Offsets of the structure count from the body's start; only the top level meets the prefix.
 */
import { findSection, selectHeaderFields } from '../../../message/section.ts'
import { decodeStructure, type StoredStructure } from '../../../message/stored-structure.ts'
import type { Email, Store } from '../../../store/store.ts'
import type { FetchSection, Partial } from '../../wire/fetch.ts'

/** A piece of a section: octets at hand, or octets of the body that are read when their turn comes. */
export type SectionPiece =
  | { readonly kind: 'text'; readonly octets: Uint8Array }
  | { readonly kind: 'body'; readonly offset: number; readonly octets: number }

/** Header octets that HEADER.FIELDS looks at; more than any header we interpret. */
const headerFieldsOctets = 1_048_576

/** One message whose sections are asked for. The structure is read once, and only when it is needed. */
export class MessageSections {
  readonly #store: Store
  readonly #email: Email
  #structure: StoredStructure | null = null
  #header: Uint8Array | null = null

  constructor(store: Store, email: Email) {
    this.#store = store
    this.#email = email
  }

  get structure(): StoredStructure {
    return (this.#structure ??= decodeStructure(this.#email.structure))
  }

  /** Null: there is no such part. @throws {BodyUnreadable} */
  async find(section: FetchSection): Promise<SectionPiece[] | null> {
    const { part, text, fields } = section
    if (text === 'header-fields' || text === 'header-fields-not') {
      const header = await this.#headerOf(part)
      if (header === null) return null
      return [{ kind: 'text', octets: selectHeaderFields(header, fields, text === 'header-fields-not') }]
    }
    if (part.length > 0 || text === 'text') return this.#range(part, text)
    // BODY[] and BODY[HEADER] begin with the prefix.
    const octets = text === 'whole' ? this.#email.body.octets : this.structure.headerOctets
    const prefix: SectionPiece = { kind: 'text', octets: Buffer.from(this.#email.prefix, 'latin1') }
    return [prefix, { kind: 'body', offset: 0, octets }]
  }

  /** The header of the message, prefix included. At most `headerFieldsOctets` and the prefix. */
  async header(): Promise<Uint8Array> {
    this.#header ??= await this.#read(0, this.structure.headerOctets, this.#email.prefix)
    return this.#header
  }

  #range(part: readonly number[], text: FetchSection['text']): SectionPiece[] | null {
    const kind = text === 'whole' ? 'all' : text === 'mime' ? 'mime' : text === 'header' ? 'header' : 'text'
    const found = findSection(this.structure, part, kind)
    return found === null ? null : [{ kind: 'body', offset: found.offset, octets: found.octets }]
  }

  async #headerOf(part: readonly number[]): Promise<Uint8Array | null> {
    if (part.length === 0) return this.header()
    const found = findSection(this.structure, part, 'header')
    return found === null ? null : this.#read(found.offset, found.octets, '')
  }

  async #read(offset: number, octets: number, before: string): Promise<Uint8Array> {
    const wanted = Math.min(octets, headerFieldsOctets)
    const body =
      wanted === 0 ? new Uint8Array(0) : await this.#store.readBody(this.#email.body, offset, wanted)
    return before === '' ? body : Buffer.concat([Buffer.from(before, 'latin1'), body])
  }
}

/** Cuts a partial out of pieces: octets from its origin on, as many as there are. RFC 3501 §6.4.5. */
export function cutPieces(pieces: readonly SectionPiece[], partial: Partial | null): SectionPiece[] {
  if (partial === null) return pieces.filter((piece) => sizeOf(piece) > 0)
  const cut: SectionPiece[] = []
  let { offset, octets } = partial
  for (const piece of pieces) {
    const size = sizeOf(piece)
    const skip = Math.min(offset, size)
    const take = Math.min(size - skip, octets)
    offset -= skip
    octets -= take
    if (take === 0) continue
    if (piece.kind === 'text') cut.push({ kind: 'text', octets: piece.octets.subarray(skip, skip + take) })
    else cut.push({ kind: 'body', offset: piece.offset + skip, octets: take })
  }
  return cut
}

export function sizeOf(piece: SectionPiece): number {
  return piece.kind === 'text' ? piece.octets.length : piece.octets
}
