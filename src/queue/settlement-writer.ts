import type { QueueStore, Settlement } from '../store/queue.ts'

interface Waiting {
  readonly settlement: Settlement
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Gathers settlements while a write is under way, and writes them together: no timer, and no waiting when idle. */
export class SettlementWriter {
  readonly #store: Pick<QueueStore, 'settle'>
  #waiting: Waiting[] = []
  #writing = false

  constructor(store: Pick<QueueStore, 'settle'>) {
    this.#store = store
  }

  /** Resolves when it is durable. @throws {StoreUnavailable} */
  write(settlement: Settlement): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ settlement, resolve, reject })
      if (this.#writing) return
      this.#writing = true
      // In a microtask, so that what ends in the same turn goes together from the start.
      queueMicrotask(() => this.#drain())
    })
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#store.settle(batch.map((each) => each.settlement))
        for (const each of batch) each.resolve()
      } catch (error) {
        for (const each of batch) each.reject(error)
      }
    }
    this.#writing = false
  }
}
