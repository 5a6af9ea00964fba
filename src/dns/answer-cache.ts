import type { Clock } from '../base/clock.ts'
import type { Answer, RecordOf, RecordType } from './resolver.ts'

type AnyAnswer = Answer<RecordOf[RecordType]>

/** Answers by question until their time to live is over; past its bound the least recently used one goes. */
export class AnswerCache {
  readonly #clock: Clock
  readonly #entriesMax: number
  readonly #entries = new Map<string, { answer: AnyAnswer; untilUs: number }>()

  constructor(clock: Clock, entriesMax: number) {
    this.#clock = clock
    this.#entriesMax = entriesMax
  }

  /** @returns The answer with what is left of its time. */
  get(key: string): AnyAnswer | null {
    const entry = this.#entries.get(key)
    if (entry === undefined) return null
    this.#entries.delete(key)
    const leftUs = entry.untilUs - this.#clock.monotonicUs()
    if (leftUs <= 0) return null
    this.#entries.set(key, entry)
    return { ...entry.answer, ttl: Math.ceil(leftUs / 1_000_000), cached: true }
  }

  set(key: string, answer: AnyAnswer): void {
    if (answer.ttl <= 0) return
    this.#entries.delete(key)
    this.#entries.set(key, { answer, untilUs: this.#clock.monotonicUs() + answer.ttl * 1_000_000 })
    if (this.#entries.size <= this.#entriesMax) return
    const oldest = this.#entries.keys().next()
    if (!oldest.done) this.#entries.delete(oldest.value)
  }
}
