/**
 * Work that each takes a millisecond or two and may arrive a hundred at a time: one piece a turn of the event loop, so
 * that every other socket is served in between. First come, first served.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #scheduled = false

  /** Runs the work in a later turn of its own; what it throws ends the process, so it must not. */
  run(work: () => void): void {
    this.#waiting.push(work)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      // Scheduled first: an immediate that is set while immediates run waits for the next turn.
      const work = this.#waiting.shift()
      this.#schedule()
      work?.()
    })
  }
}
