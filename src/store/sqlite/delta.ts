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

/** Columns of equal length, ascending by UID. */
export interface AddedDelta extends DeltaOf {
  readonly kind: 'added'
  readonly uids: number[]
  readonly modseqs: number[]
  readonly flags: number[]
  readonly keywords: number[]
  readonly octets: number[]
  readonly internalDates: number[]
  readonly emailIds: number[]
  /** The mailbox's list when a name was added to it, else null. */
  readonly keywordNames: readonly string[] | null
}

export interface FlagsDelta extends DeltaOf {
  readonly kind: 'flags'
  readonly uids: number[]
  readonly flags: number[]
  readonly keywords: number[]
  readonly keywordNames: readonly string[] | null
}

export interface ExpungedDelta extends DeltaOf {
  readonly kind: 'expunged'
  readonly uids: number[]
}

export interface MailboxesDelta extends DeltaOf {
  readonly kind: 'mailboxes'
  readonly deleted: boolean
}
