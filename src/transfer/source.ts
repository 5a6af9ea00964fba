/** What there is to import, whatever its format. */
import type { Marks } from './keywords.ts'

export const transferFormats = ['mbox', 'maildir', 'eml'] as const
export type TransferFormat = (typeof transferFormats)[number]

/** Something of the source in which messages have an order: an mbox file, a folder. */
export interface SourceUnit {
  /** Its path relative to the source, or its last step; stays the same from one run to the next. */
  readonly unit: string
  /** UTF-8, separator `/`. */
  readonly mailbox: string
}

export interface SourceMessage {
  /** Tells it from all others of its unit, also in a later run. */
  readonly key: string
  /** For people: file, and offset in it. */
  readonly place: string
  /** Octets with CRLF. To be read once and to its end. @throws {Unreadable} */
  read(): AsyncGenerator<Uint8Array>
  /** To be asked after it has been read. */
  facts(): SourceFacts
}

export interface SourceFacts extends Marks {
  /** Milliseconds since 1970; null when the source does not know. */
  readonly internalDate: number | null
  /** Octets or messages of the source (see `Source.unitOf`) that are done once this message is. */
  readonly done: number
  /** An mbox: offset of the next message. */
  readonly end: number | null
  /** Why it is no message although it looks like one, in words. */
  readonly noMessage: string | null
}

export type SourceItem =
  | ({ readonly kind: 'unit' } & SourceUnit)
  | { readonly kind: 'message'; readonly message: SourceMessage }
  /** Something that cannot be a message. */
  | {
      readonly kind: 'damaged'
      readonly key: string
      readonly place: string
      readonly reason: string
      readonly done: number
      readonly end: number | null
    }

/** What earlier runs have dealt with. */
export interface DoneBefore {
  /** An mbox: the offset to begin at. */
  until(unit: string): number
  has(unit: string, key: string): boolean
}

export interface Source {
  readonly format: TransferFormat
  /** Octets of mboxes, or messages of folders; for the progress. */
  readonly total: { readonly unit: 'octets' | 'messages'; readonly count: number }
  /** A hash of what stands before an offset; null where there are no offsets. */
  check(unit: string, until: number): Promise<string | null>
  /** Unit after unit, each announced before its messages. */
  items(before: DoneBefore): AsyncGenerator<SourceItem>
}

/** One message cannot be read; the next one may be. */
export class Unreadable extends Error {}

/** The source is not what it should be, and nothing of it was imported now. */
export class BadSource extends Error {
  readonly remedy: string
  /** There is nothing at all. */
  readonly missing: boolean

  constructor(message: string, remedy: string, missing = false) {
    super(message)
    this.name = 'BadSource'
    this.remedy = remedy
    this.missing = missing
  }
}
