/** How far a transfer has come, and when it will be over. */
export interface Progress {
  readonly messages: number
  /** Octets of those messages. */
  readonly octets: number
  readonly messagesPerSecond: number
  /** 0 to 1. */
  readonly share: number
  /** Null until it can be told. */
  readonly remainingSeconds: number | null
}

/** Rates are those of this run: what an earlier one has done counts for the share only. */
export class ProgressMeter {
  readonly #total: number
  readonly #now: () => number
  readonly #startedMs: number
  #messages = 0
  #octets = 0
  #first: number | null = null
  #done = 0

  /** @param total In whatever `step` counts. @param now Milliseconds, never backwards. */
  constructor(total: number, now: () => number) {
    this.#total = total
    this.#now = now
    this.#startedMs = now()
  }

  /** One message more. @param done Of `total`, all in all. */
  step(octets: number, done: number): void {
    this.#messages++
    this.#octets += octets
    this.pass(done)
  }

  /** Something was passed over. */
  pass(done: number): void {
    this.#first ??= done
    this.#done = Math.max(this.#done, done)
  }

  get seconds(): number {
    return (this.#now() - this.#startedMs) / 1_000
  }

  get progress(): Progress {
    const seconds = this.seconds
    const doneNow = this.#done - (this.#first ?? 0)
    const left = Math.max(0, this.#total - this.#done)
    return {
      messages: this.#messages,
      octets: this.#octets,
      messagesPerSecond: seconds === 0 ? 0 : Math.round(this.#messages / seconds),
      share: this.#total === 0 ? 1 : Math.min(1, this.#done / this.#total),
      remainingSeconds: doneNow <= 0 ? null : Math.round((left / doneNow) * seconds),
    }
  }
}
