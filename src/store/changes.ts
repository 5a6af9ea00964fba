/** One durable change, heard by every session of the account, the one that made it included. */
export type Change =
  | {
      readonly kind: 'added'
      readonly mailboxId: number
      readonly modseq: number
      readonly uids: readonly number[]
    }
  | {
      readonly kind: 'flags'
      readonly mailboxId: number
      readonly modseq: number
      readonly uids: readonly number[]
    }
  | {
      readonly kind: 'expunged'
      readonly mailboxId: number
      readonly modseq: number
      readonly uids: readonly number[]
    }
  /** A mailbox was made, renamed, removed or (un)subscribed. */
  | { readonly kind: 'mailboxes'; readonly mailboxId: number; readonly modseq: number }

/** Shared indexes have been brought up to date before a listener is called. Must not throw. */
export type ChangeListener = (change: Change) => void

export interface ChangedMessage {
  readonly uid: number
  readonly modseq: number
  readonly flags: number
  readonly keywords: readonly string[]
}

export interface MailboxChanges {
  readonly changed: readonly ChangedMessage[]
  readonly expunged: readonly { readonly uid: number; readonly modseq: number }[]
  readonly more: boolean
  /**
   * False: the mailbox has forgotten some of what was expunged since, `limits.expungedHistory`. What of the UIDs below
   * `uidNext` is not there has to be taken for expunged then, RFC 7162 §3.2.5.2.
   */
  readonly complete: boolean
}
