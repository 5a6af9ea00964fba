/** Emails that are to be put into the index, by account; those that are in it already are told apart when their turn comes. */
import type { NewEmails } from './protocol.ts'

export class Backlog {
  /** Ascending, each once. Of the first account some may be done. */
  readonly #wanted = new Map<number, Float64Array>()
  #count = 0

  get count(): number {
    return this.#count
  }

  add({ accountId, emailIds }: NewEmails): void {
    const had = this.#wanted.get(accountId) ?? new Float64Array(0)
    const both = new Float64Array(had.length + emailIds.length)
    both.set(had)
    both.set(emailIds, had.length)
    both.sort()
    const each = both.filter((emailId, i) => i === 0 || emailId !== both[i - 1])
    this.#count += each.length - had.length
    if (each.length > 0) this.#wanted.set(accountId, each)
  }

  /** The next ones, all of one account; null when there are none. They stay until they are `done`. */
  next(limit: number): NewEmails | null {
    const [first] = this.#wanted
    return first === undefined ? null : { accountId: first[0], emailIds: first[1].subarray(0, limit) }
  }

  /** Of those that `next` gave last, the first ones. @returns Whether these were the last of the account. */
  done(accountId: number, count: number): boolean {
    const left = this.#wanted.get(accountId)!.subarray(count)
    this.#count -= count
    if (left.length > 0) this.#wanted.set(accountId, left)
    else this.#wanted.delete(accountId)
    return left.length === 0
  }
}
