/**
 * The messages of one mailbox in columns, ascending by UID. One per mailbox and process, shared by all sessions, changed
 * only by the store, between turns of the event loop. A session's sequence numbers are its own view over it: what is
 * removed here is told to each session in its own time.
 */
export interface MailboxIndex {
  readonly accountId: number
  readonly mailboxId: number
  readonly uidValidity: number
  /** Rows in use; the arrays may be longer. The arrays are replaced when they grow: read them anew each turn. */
  readonly length: number
  readonly uids: Uint32Array
  /** Sum of `flagBits`. */
  readonly flags: Uint8Array
  /** Bit i is `keywordNames[i]`; a mailbox has at most 32 keywords that are looked up so, RFC 3501 §7.1 lets us say no more. */
  readonly keywords: Uint32Array
  readonly modseqs: Float64Array
  /** RFC822.SIZE. */
  readonly sizes: Uint32Array
  /** Milliseconds since 1970. */
  readonly internalDates: Float64Array
  readonly emailIds: Float64Array
  readonly keywordNames: readonly string[]
  readonly uidNext: number
  readonly highestModseq: number
  /** Row of a UID by binary search; -1 when it is not there. */
  rowOf(uid: number): number
  /** True once the mailbox has been deleted. */
  readonly gone: boolean
  release(): void
}
