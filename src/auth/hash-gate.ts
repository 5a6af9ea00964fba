/** Password hashes under way at once: each takes 19 MiB and a core, and more at once finish no sooner. */
const hashesAtOnce = 2

/** Lets work through two at a time; the others wait in the order they came, up to a bound. */
export class HashGate {
  readonly #waitingMax: number
  #running = 0
  #waiting: (() => void)[] = []

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax
  }

  /** @returns Null at once when too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T> | null {
    if (this.#running >= hashesAtOnce && this.#waiting.length >= this.#waitingMax) return null
    return this.#enter(work)
  }

  async #enter<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= hashesAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await work()
    } finally {
      // The place goes straight to the next in line, so nobody who has just come can take it.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
