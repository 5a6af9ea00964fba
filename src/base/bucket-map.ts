import type { Clock } from './clock.ts'

/** Keys remembered at once unless another bound is given; past it the one touched longest ago is forgotten. */
const bucketsDefaultMax = 50_000

interface Bucket {
  level: number
  atUs: number
}

/** Counts that leak away with time, one for each key: a bucket filled faster than it leaks runs full. */
export class BucketMap {
  readonly #clock: Clock
  readonly #leakMs: number
  readonly #capacity: number
  readonly #bucketsMax: number
  readonly #buckets = new Map<string, Bucket>()

  /** @param leakMs Time in which one count leaks away. */
  constructor(clock: Clock, capacity: number, leakMs: number, bucketsMax = bucketsDefaultMax) {
    this.#clock = clock
    this.#capacity = capacity
    this.#leakMs = leakMs
    this.#bucketsMax = bucketsMax
  }

  get size(): number {
    return this.#buckets.size
  }

  isFull(key: string): boolean {
    return this.level(key) > this.#capacity - 1
  }

  add(key: string, count = 1): void {
    const level = Math.min(this.level(key) + count, this.#capacity)
    this.#buckets.delete(key)
    this.#buckets.set(key, { level, atUs: this.#clock.monotonicUs() })
    if (this.#buckets.size <= this.#bucketsMax) return
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest)
      break
    }
  }

  /** Takes one count back that turned out not to belong there. */
  refund(key: string): void {
    const bucket = this.#buckets.get(key)
    if (bucket !== undefined) bucket.level = Math.max(0, bucket.level - 1)
  }

  clear(key: string): void {
    this.#buckets.delete(key)
  }

  /** What has not leaked away yet. */
  level(key: string): number {
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) return 0
    const leaked = (this.#clock.monotonicUs() - bucket.atUs) / 1_000 / this.#leakMs
    return Math.max(0, bucket.level - leaked)
  }
}
