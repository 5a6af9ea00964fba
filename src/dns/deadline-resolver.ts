/**
 * A resolver whose patience has an end: from then on every question that is open has failed with a time-out, and so has
 * every further one. Whoever asks through it needs no clock of his own, and keeps what he has found out by then.
 */
import type { Clock } from '../base/clock.ts'
import { type Answer, DnsFailure, type RecordOf, type RecordType, type Resolver } from './resolver.ts'

export class DeadlineResolver implements Resolver {
  readonly #resolver: Resolver
  readonly #clock: Clock
  /** Ends each open question. */
  readonly #open = new Set<() => void>()
  #over = false

  constructor(resolver: Resolver, clock: Clock) {
    this.#resolver = resolver
    this.#clock = clock
  }

  /**
   * Begins the time that is left.
   *
   * @param late Called when questions were open at its end.
   * @returns Calls it off: it ends no more, or what is asked after its end is asked again.
   */
  endAfter(ms: number, late: () => void = () => {}): () => void {
    const cancel = this.#clock.after(ms, () => {
      this.#over = true
      if (this.#open.size > 0) late()
      for (const end of this.#open) end()
      this.#open.clear()
    })
    return () => {
      cancel()
      this.#over = false
    }
  }

  query<T extends RecordType>(name: string, type: T): Promise<Answer<RecordOf[T]>> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer<RecordOf[T]>>()
    const end = (): void => reject(new DnsFailure(`${name} ${type}`, 'timeout'))
    if (this.#over) end()
    else {
      this.#open.add(end)
      const answer = this.#resolver.query(name, type)
      answer.finally(() => this.#open.delete(end)).then(resolve, reject)
    }
    return promise
  }
}
