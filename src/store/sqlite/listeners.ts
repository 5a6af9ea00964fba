import type { Log } from '../../base/log.ts'
import type { Change, ChangeListener } from '../changes.ts'

/** Who hears of the changes of which account. */
export class Listeners {
  readonly #byAccount = new Map<number, Set<ChangeListener>>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  add(accountId: number, listener: ChangeListener): () => void {
    // One function given twice is two listeners.
    const own: ChangeListener = (change) => listener(change)
    let listeners = this.#byAccount.get(accountId)
    if (listeners === undefined) {
      listeners = new Set()
      this.#byAccount.set(accountId, listeners)
    }
    listeners.add(own)
    return () => {
      listeners.delete(own)
      if (listeners.size === 0 && this.#byAccount.get(accountId) === listeners) {
        this.#byAccount.delete(accountId)
      }
    }
  }

  tell(accountId: number, change: () => Change): void {
    const listeners = this.#byAccount.get(accountId)
    if (listeners === undefined) return
    const told = change()
    for (const listener of [...listeners]) {
      try {
        listener(told)
      } catch (error) {
        // One session's fault must not keep the answer from all others.
        this.#log.error('store: a listener failed', { error })
      }
    }
  }
}
