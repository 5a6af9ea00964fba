/** Takes messages out of the index that are gone, a block at a time. Until then no search shows them: none asks for them. */
import type { IndexFile } from './index-file.ts'
import type { StoredMessages } from './stored-messages.ts'

export class Clearing {
  #last = 0

  /** @returns Whether there is more. */
  step(index: IndexFile, messages: StoredMessages): boolean {
    const last = index.forget(this.#last, (first, end) => messages.emailsBetween(first, end))
    this.#last = last ?? 0
    return last !== null
  }
}
