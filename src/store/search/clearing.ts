/** Takes messages out of the index that are gone, a piece at a time. Until then no search shows them: none asks for them. */
import { emailOfRow, type IndexFile } from './index-file.ts'
import type { StoredMessages } from './stored-messages.ts'

/** Some two milliseconds. */
const rowsAtOnce = 500

export class Clearing {
  #last = 0

  /** @returns Whether there is more. */
  step(index: IndexFile, messages: StoredMessages): boolean {
    const rows = index.rowsAfter(this.#last, rowsAtOnce)
    const gone = rows.filter((row) => !messages.exists(emailOfRow(row)))
    if (gone.length > 0) index.remove(gone)
    this.#last = rows.at(-1) ?? this.#last
    return rows.length === rowsAtOnce
  }
}
