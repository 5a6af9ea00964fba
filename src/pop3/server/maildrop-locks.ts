/** Who has which maildrop open: one POP3 session an account, RFC 1939 §4, over all doors that share this object. */
export class MaildropLocks {
  readonly #held = new Set<number>()

  /** @returns Gives the maildrop back; null when another session has it. */
  take(accountId: number): (() => void) | null {
    if (this.#held.has(accountId)) return null
    this.#held.add(accountId)
    let released = false
    return () => {
      if (released) return
      released = true
      this.#held.delete(accountId)
    }
  }
}
