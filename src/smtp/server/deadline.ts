/**
 * One point in time by which something must have come, with one timer however often it is moved.
 *
 * The timer runs on when the deadline is put off or taken away, and looks again when it fires.
 */
import type { Clock } from '../../base/clock.ts'

export class Deadline {
  readonly #clock: Clock
  readonly #missed: () => void
  /** Microseconds of the clock; null: nothing is awaited. */
  #dueUs: number | null = null
  #timerUs = 0
  #cancel: (() => void) | null = null

  constructor(clock: Clock, missed: () => void) {
    this.#clock = clock
    this.#missed = missed
  }

  get set(): boolean {
    return this.#dueUs !== null
  }

  /** From now on; an earlier setting does not count any more. */
  setIn(ms: number): void {
    this.#dueUs = this.#clock.monotonicUs() + ms * 1000
    if (this.#cancel !== null && this.#timerUs <= this.#dueUs) return
    this.#cancel?.()
    this.#start(ms)
  }

  clear(): void {
    this.#dueUs = null
  }

  /** The connection is gone. */
  end(): void {
    this.#dueUs = null
    this.#cancel?.()
    this.#cancel = null
  }

  #start(ms: number): void {
    this.#timerUs = this.#clock.monotonicUs() + ms * 1000
    this.#cancel = this.#clock.after(ms, () => this.#fired())
  }

  #fired(): void {
    this.#cancel = null
    if (this.#dueUs === null) return
    const leftMs = Math.ceil((this.#dueUs - this.#clock.monotonicUs()) / 1000)
    if (leftMs > 0) {
      this.#start(leftMs)
      return
    }
    this.#dueUs = null
    this.#missed()
  }
}
