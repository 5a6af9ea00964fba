/**
 * Brings the index up to the messages: reads the next ones, in the order of their numbers, and puts them in. The number
 * of an email only grows and is visible when it is committed, so all up to the highest one read have been seen.
 */
import { envelopeFields } from '../../message/stored-envelope.ts'
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

  constructor(index: IndexFile, messages: StoredMessages, classes: Uint8Array) {
    this.#index = index
    this.#messages = messages
    this.#terms = new DocumentTerms(index, classes)
  }

  /** Whether the messages are still those that were indexed, and not restored from some time before. */
  isOfThese(): boolean {
    const { highWater, mark } = this.#index
    if (highWater === 0) return true
    if (this.#messages.lastEmail() < highWater) return false
    const [emailId, hash] = mark.split(' ')
    const now = this.#messages.hashOf(Number(emailId))
    return now === null || now === hash
  }

  /** One batch. @returns Whether there may be more. */
  step(): boolean {
    const stored = this.#messages.after(this.#index.highWater, messagesAtOnce)
    if (stored.length === 0) return false
    const begin = performance.now()
    let done = 0
    for (const message of stored) {
      this.#take(message)
      done++
      if (this.#index.blocks.open.full || performance.now() - begin > readingMs) break
    }
    const { emailId } = stored[done - 1]!
    this.#index.advance(emailId, `${emailId} ${this.#messages.hashOf(emailId) ?? ''}`)
    return done < stored.length || stored.length === messagesAtOnce
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
