/** Keeps files of bodies where they are while somebody copies them. */
export class FileHold {
  #holders = 0
  #free = Promise.withResolvers<void>()
  readonly #running = new Set<Promise<unknown>>()

  constructor() {
    this.#free.resolve()
  }

  /** Does what may remove files, as soon as nobody holds them. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    while (this.#holders > 0) await this.#free.promise
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** Waits for what is under way. @returns Lets go; calling it twice does nothing. */
  async hold(): Promise<() => void> {
    if (this.#holders++ === 0) this.#free = Promise.withResolvers()
    await Promise.allSettled(this.#running)
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--this.#holders === 0) this.#free.resolve()
    }
  }
}
