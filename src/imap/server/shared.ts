/**
 * What all IMAP sessions of one server know in common, whichever door they came in by: up to which UID the messages of
 * a mailbox have been \Recent to somebody. In memory only, docs/decisions/040.
 */
export class ImapShared {
  /** Account, then mailbox: the first UID that no session has been told of yet. */
  readonly #recentFrom = new Map<number, Map<number, number>>()

  /** Null: no session of this process has selected the mailbox yet. */
  recentFrom(accountId: number, mailboxId: number): number | null {
    return this.#recentFrom.get(accountId)?.get(mailboxId) ?? null
  }

  /** A session has been told of all messages below this UID. */
  claimRecent(accountId: number, mailboxId: number, nextUid: number): void {
    let mailboxes = this.#recentFrom.get(accountId)
    if (mailboxes === undefined) this.#recentFrom.set(accountId, (mailboxes = new Map()))
    mailboxes.set(mailboxId, Math.max(nextUid, mailboxes.get(mailboxId) ?? 0))
  }

  forgetMailbox(accountId: number, mailboxId: number): void {
    this.#recentFrom.get(accountId)?.delete(mailboxId)
  }
}
