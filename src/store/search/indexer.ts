/**
 * Brings the index up to the messages: to those it is told of, or, for everybody, to all in the order of their numbers. The
 * number of an email only grows and is visible when it is committed, so then all up to the highest one read have been seen.
 */
import { envelopeFields } from '../../message/stored-envelope.ts'
import type { Backlog } from './backlog.ts'
import { DocumentTerms } from './document-terms.ts'
import { type IndexFile, rowOf } from './index-file.ts'
import { MessageTexts } from './message-texts.ts'
import type { Scope } from './scopes.ts'
import type { StoredMessage, StoredMessages } from './stored-messages.ts'

const messagesAtOnce = 128
/** After so many milliseconds others have their turn: a search waits so long at most. */
const readingMs = 30

export class Indexer {
  readonly #index: IndexFile
  readonly #messages: StoredMessages
  readonly #terms: DocumentTerms
  #deadline = 0

  constructor(index: IndexFile, messages: StoredMessages, classes: Uint8Array) {
    this.#index = index
    this.#messages = messages
    this.#terms = new DocumentTerms(index, classes)
  }

  /** Whether the messages are still those that were indexed, and not restored from some time before. */
  isOfThese(): boolean {
    const { newest, highWater } = this.#index
    const { emailId, hash } = newest
    if (this.#messages.lastEmail() < Math.max(emailId, highWater)) return false
    if (emailId === 0) return true
    const now = this.#messages.hashOf(emailId)
    return now === null || now === hash
  }

  /** One batch of those it was told of. @returns An account whose last ones these were. */
  stepOf(backlog: Backlog): number | null {
    this.#deadline = performance.now() + readingMs
    const next = backlog.next(messagesAtOnce)
    if (next === null) return null
    const { accountId, emailIds } = next
    const { indexed } = this.#index.blocks.asked(rowOf(accountId, 0), emailIds)
    const missing = emailIds.filter((_, i) => indexed[i] === 0)
    const stored = this.#messages.some(accountId, missing)
    const done = this.#takeSome(stored)
    this.#advance(stored[done - 1], null)
    const following = stored[done]
    const count = following === undefined ? emailIds.length : emailIds.indexOf(following.emailId)
    return backlog.done(accountId, count) ? accountId : null
  }

  /** One batch of everybody's. @returns Whether there may be more. */
  step(): boolean {
    this.#deadline = performance.now() + readingMs
    const stored = this.#messages.after(this.#index.highWater, messagesAtOnce)
    if (stored.length === 0) return false
    const missing = stored.filter((message) => !this.#has(message))
    const done = this.#takeSome(missing)
    const last = missing[done] === undefined ? stored.at(-1)! : missing[done - 1]!
    this.#advance(missing[done - 1], last.emailId)
    return last !== stored.at(-1) || stored.length === messagesAtOnce
  }

  /** Beyond the highest that it has it has none. */
  #has({ accountId, emailId }: StoredMessage): boolean {
    if (emailId > this.#index.newest.emailId) return false
    return this.#index.blocks.asked(rowOf(accountId, 0), Float64Array.of(emailId)).indexed[0] === 1
  }

  /** @returns How many: at least one, if there is one. */
  #takeSome(messages: readonly StoredMessage[]): number {
    let done = 0
    for (const message of messages) {
      this.#take(message)
      done++
      if (this.#index.blocks.open.full || performance.now() > this.#deadline) break
    }
    return done
  }

  #advance(newest: StoredMessage | undefined, highWater: number | null): void {
    if (newest === undefined) {
      if (highWater !== null) this.#index.advance(this.#index.newest, highWater)
      return
    }
    const { emailId } = newest
    this.#index.advance({ emailId, hash: this.#messages.hashOf(emailId) ?? '' }, highWater)
  }

  #take(message: StoredMessage): void {
    const terms = this.#terms
    const row = rowOf(message.accountId, message.emailId)
    terms.begin(row)
    let readable = true
    try {
      const texts = new MessageTexts(message, this.#messages.reader(message, true))
      for (const name of envelopeFields) {
        const text = texts.envelope.field(name)
        if (typeof text === 'string') terms.add(name as Scope, text)
      }
      for (const { name } of texts.fields) terms.addName(name)
      terms.add('header', texts.plainHeader)
      for (const text of texts.plainBodies()) terms.add('body', text)
    } catch {
      // Unreadable, or its structure is. It must not keep others from being found.
      readable = false
    }
    if (!terms.finish() || !readable) this.#index.addPartial(row)
  }
}
