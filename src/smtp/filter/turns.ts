/** Lets so many in at once; the others wait in the order in which they came. */
export class Turns {
  readonly #most: number
  #inside = 0
  #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#most = most
  }

  /**
   * @param signal Ends the wait.
   * @returns To be called once, when the turn is over.
   * @throws {Error} The signal's reason.
   */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#inside >= this.#most) await this.#wait(signal)
    else this.#inside++
    return () => this.#leave()
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== enter)
        reject(signal.reason)
      }
      signal.addEventListener('abort', giveUp)
      this.#waiting.push(enter)
    })
  }

  /** The place goes from one to the next, so that nobody who comes in between takes it. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#inside--
    else next()
  }
}
