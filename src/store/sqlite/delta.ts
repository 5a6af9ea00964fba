import type { Change } from '../changes.ts'

/**
 * What one commit changed, with the values themselves, as the writer tells it. Applying the same delta twice, or one that
 * a page read from the tables already shows, changes nothing: so a loading index needs no snapshot.
 */
export type Delta = AddedDelta | FlagsDelta | ExpungedDelta | MailboxesDelta

interface DeltaOf {
  readonly accountId: number
  readonly mailboxId: number
  /** The highest of them. */
  readonly modseq: number
}

/** Long ones are typed arrays, which cost nothing to hand to another thread. */
export type Column = number[] | Uint32Array | Uint8Array | Float64Array

/** Columns of equal length, ascending by UID. */
export interface AddedDelta extends DeltaOf {
  readonly kind: 'added'
  readonly uids: Column
  readonly modseqs: Column
  readonly flags: Column
  readonly keywords: Column
  readonly octets: Column
  readonly internalDates: Column
  readonly emailIds: Column
  /** The mailbox's list when a name was added to it, else null. */
  readonly keywordNames: readonly string[] | null
}

export interface FlagsDelta extends DeltaOf {
  readonly kind: 'flags'
  readonly uids: Column
  readonly flags: Column
  readonly keywords: Column
  readonly keywordNames: readonly string[] | null
}

export interface ExpungedDelta extends DeltaOf {
  readonly kind: 'expunged'
  readonly uids: Column
}

export interface MailboxesDelta extends DeltaOf {
  readonly kind: 'mailboxes'
  readonly deleted: boolean
}

/** What is told of it to those who look at the mailbox. */
export function changeOf(delta: Delta): Change {
  const { kind, mailboxId, modseq } = delta
  return kind === 'mailboxes'
    ? { kind, mailboxId, modseq }
    : { kind, mailboxId, modseq, uids: [...delta.uids] }
}

/** A long list is quicker to hand over as a typed array. */
export function packUids(uids: readonly number[]): ArrayLike<number> {
  return uids.length > 256 ? Uint32Array.from(uids) : uids
}
