import type { Email } from '../../store/store.ts'

const rowsAtFirst = 16
/** Chars of what the store knows of the messages of one page. */
const pageChars = 262_144

/**
 * How many messages the store is asked for at once: few at first, more while little is known of each. A message of a
 * thousand parts or ten thousand addresses has a megabyte of structure and envelope, and a page of such messages would
 * keep all others waiting.
 */
export class PageSize {
  readonly #most: number
  #rows: number

  constructor(most: number) {
    this.#most = most
    this.#rows = Math.min(most, rowsAtFirst)
  }

  get rows(): number {
    return this.#rows
  }

  /** Looks at a page that has come. */
  learn(emails: readonly (Email | null)[]): void {
    const chars = emails.reduce((sum, email) => sum + (email === null ? 0 : charsOf(email)), 0)
    const fitting = Math.floor((pageChars * emails.length) / Math.max(1, chars))
    this.#rows = Math.max(1, Math.min(this.#most, this.#rows * 4, fitting))
  }
}

/** What an email weighs before a word of its text is read. */
export function charsOf({ envelope, bodyStructure, structure }: Email): number {
  return envelope.length + bodyStructure.length + structure.length
}
