import type { StagedBody, BodySink } from '../../store/body.ts'
import type { Store } from '../../store/store.ts'
import type { Limits } from '../../base/limits.ts'
import { type MessageScan, MessageScanner } from '../../message/scan.ts'
import { Refusal, refuse } from '../wire/refusal.ts'
import { translateStoreError } from './store-refusal.ts'

/** The message of an APPEND, whole. */
export interface ArrivedMessage {
  readonly body: StagedBody
  readonly scan: MessageScan
  /** The store has been asked to accept it: from now on it is the store's. */
  keep(): void
  /** The store refused it after all. */
  discard(): void
}

/** The message of an APPEND while it arrives: on its way to the store, scanned as it passes, never held whole. */
export class ArrivingMessage {
  readonly #sink: BodySink
  readonly #scanner: MessageScanner
  /** What went wrong; the rest of the literal is still taken, and forgotten. */
  #failure: unknown = null
  #kept = false

  constructor(store: Store, limits: Limits) {
    this.#sink = store.openBody()
    this.#scanner = new MessageScanner({
      headerOctets: limits.headerOctets,
      headerFields: limits.headerFields,
      parts: limits.mimeParts,
      nesting: limits.mimeNesting,
    })
  }

  async write(octets: Uint8Array): Promise<void> {
    if (this.#failure !== null || octets.length === 0) return
    // RFC 3501 §9: a literal is of CHAR8, which leaves out NUL. There is no literal8 of RFC 3516 here.
    if (octets.includes(0)) {
      this.#failure = refuse('CANNOT', 'The message holds NUL octets')
      this.#sink.abort()
      return
    }
    this.#scanner.push(octets)
    try {
      await this.#sink.write(octets)
    } catch (error) {
      this.#failure = error
      this.#sink.abort()
    }
  }

  /** @throws {Refusal} The store could not take it. */
  async finish(): Promise<ArrivedMessage> {
    if (this.#failure instanceof Refusal) throw this.#failure
    if (this.#failure !== null) throw translateStoreError(this.#failure)
    try {
      const scan = this.#scanner.finish()
      const body = await this.#sink.finish()
      return { scan, body, keep: () => (this.#kept = true), discard: () => this.#sink.abort() }
    } catch (error) {
      this.#failure = error
      this.#sink.abort()
      throw translateStoreError(error)
    }
  }

  /** Safe at any time; what is the store's stays. */
  abort(): void {
    if (!this.#kept) this.#sink.abort()
  }
}
