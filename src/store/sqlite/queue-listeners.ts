import type { Log } from '../../base/log.ts'
import type { LeaseTerms, QueueTaker } from '../queue.ts'

/** Room that a taker has set aside. */
export interface Reservation {
  readonly taker: QueueTaker
  readonly rows: number
  readonly terms: LeaseTerms
}

/** Those who want to know what is queued, or to have it. */
export class QueueListeners {
  readonly #log: Log
  readonly #listeners = new Set<() => void>()
  readonly #takers = new Set<QueueTaker>()

  constructor(log: Log) {
    this.#log = log
  }

  /** @returns Ends it. */
  add(listener: () => void): () => void {
    // One function given twice is two listeners.
    const own = () => listener()
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  tell(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener()
      } catch (error) {
        this.#log.error('store: a listener of the queue failed', { error })
      }
    }
  }

  /** @returns Ends it. */
  handOut(taker: QueueTaker): () => void {
    this.#takers.add(taker)
    return () => void this.#takers.delete(taker)
  }

  /** @returns Null: nobody has room for so many. */
  reserve(rows: number): Reservation | null {
    if (rows === 0) return null
    for (const taker of this.#takers) {
      const terms = taker.reserve(rows)
      if (terms !== null) return { taker, rows, terms }
    }
    return null
  }
}
