/** Takes messages out of the index that are gone, a block at a time. Until then no search shows them: none asks for them. */
import type { IndexFile } from './index-file.ts'
import type { StoredMessages } from './stored-messages.ts'

export class Clearing {
  #block = 0

  /** @returns Whether there is more. */
  step(index: IndexFile, messages: StoredMessages): boolean {
    const block = index.forget(this.#block, (emailId) => messages.hasEmail(emailId))
    if (block === null) index.forgetSearched((accountId) => messages.hasAccount(accountId))
    this.#block = block ?? 0
    return block !== null
  }
}
