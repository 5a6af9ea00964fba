/** Where an export goes, whatever its format. */
import type { ExportedMailbox, ExportedMessage } from './wire.ts'

/** A message's octets with CRLF: whole, or in pieces when it is large. */
export type MessageOctets = Uint8Array | AsyncIterable<Uint8Array>

export interface Target {
  /** Begins a mailbox or goes on with it. @returns The UID after which messages may be missing. */
  open(mailbox: ExportedMailbox, path: string): Promise<number>
  /** @returns False when it was there. */
  add(message: ExportedMessage, octets: MessageOctets): Promise<boolean>
  /** What was added so far will be found by a later run. @param upTo UID. */
  settle(upTo: number): Promise<void>
  /** The mailbox is complete. */
  close(): Promise<void>
  /** Lets go of the mailbox when it could not be completed. */
  leave(): Promise<void>
}

/** Something is in the way that is not ours. */
export class ForeignFile extends Error {
  readonly remedy = 'Move it away, or export to another folder.'

  constructor(file: string, what = 'is not from this export') {
    super(`${file} ${what}`)
    this.name = 'ForeignFile'
  }
}

export async function* piecesOf(octets: MessageOctets): AsyncGenerator<Uint8Array> {
  if (octets instanceof Uint8Array) yield octets
  else yield* octets
}
