// The global of this name is looked up anew each time.
import { performance } from 'node:perf_hooks'

/** The time, handed in, so that a test moves it and two servers in one process may disagree about it. */
export interface Clock {
  /** Milliseconds since 1970, UTC. May jump when the machine's clock is set. */
  now(): number
  /** Microseconds since some point; never runs backwards. For durations only. */
  monotonicUs(): number
  /**
   * Calls back once after a delay.
   *
   * @returns Cancels; calling it later, or twice, does nothing.
   */
  after(delayMs: number, callback: () => void): () => void
}

/** The machine's own clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicUs: () => Math.round(performance.now() * 1000),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** A clock that moves only when a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number
  readonly #startMs: number
  #timers: { dueMs: number; callback: () => void }[] = []

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
    this.#startMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonicUs(): number {
    return (this.#nowMs - this.#startMs) * 1000
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves the time on and runs what has become due, in order of its time. */
  advance(ms: number): void {
    const end = this.#nowMs + ms
    for (;;) {
      const due = this.#timers.filter((timer) => timer.dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#nowMs = due.dueMs
      due.callback()
    }
    this.#nowMs = end
  }
}
