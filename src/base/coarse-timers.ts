import { Roster } from './roster.ts'

const tickMs = 1_000

interface Wait {
  readonly dueMs: number
  readonly callback: () => void
  leave(): void
}

/**
 * Waits that hardly ever come to their end, with one timer for all of them: each is up to a second late.
 *
 * A timer for each would cost more than its own making: Node throws away the list of all timers of one length with the last
 * of them and makes another with the next, and these lists do in V8's old space what `Roster` tells of sets.
 */
export class CoarseTimers {
  readonly #waits = new Roster<Wait>()
  #ticking = false

  /** @returns Cancels; calling it later, or twice, does nothing. */
  after(delayMs: number, callback: () => void): () => void {
    const wait: Wait = { dueMs: performance.now() + delayMs, callback, leave() {} }
    wait.leave = this.#waits.enter(wait)
    this.#tick()
    return wait.leave
  }

  /** The timer runs on when nothing is waited for any more, and is not set again. */
  #tick(): void {
    if (this.#ticking || this.#waits.size === 0) return
    this.#ticking = true
    setTimeout(() => {
      this.#ticking = false
      this.#callDue(performance.now())
      this.#tick()
    }, tickMs).unref()
  }

  #callDue(nowMs: number): void {
    for (const wait of this.#waits.all()) {
      if (wait.dueMs > nowMs) continue
      wait.leave()
      wait.callback()
    }
  }
}
