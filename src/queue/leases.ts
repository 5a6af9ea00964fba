import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { QueueEntry, QueueStore } from '../store/queue.ts'
import type { Held } from './world.ts'
import { leaseMs } from './options.ts'

/**
 * The rows we hold, and the renewal of their leases.
 *
 * Renewed at half of its time, a lease outlives one renewal that fails. A process that dies renews nothing, so its rows
 * are free again after `leaseMs` at most.
 */
export class Leases {
  readonly #store: QueueStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #held = new Map<number, Held>()
  #cancel: (() => void) | null = null

  constructor(store: QueueStore, clock: Clock, log: Log) {
    this.#store = store
    this.#clock = clock
    this.#log = log
  }

  get count(): number {
    return this.#held.size
  }

  /** @returns Null when the row is held already: a clock that jumped made its lease look ended. */
  hold(entry: QueueEntry): Held | null {
    if (this.#held.has(entry.queueId)) return null
    const now = this.#clock.now()
    const held = { entry, takenAt: now, leasedUntil: entry.leasedUntil ?? now + leaseMs }
    this.#held.set(entry.queueId, held)
    if (this.#cancel === null) this.#wait()
    return held
  }

  /** The row has been settled, or may lapse. */
  release(held: Held): void {
    this.#held.delete(held.entry.queueId)
  }

  /** Lets somebody else, or us later, have the row from then on, as it was. */
  async giveBack(held: Held, untilMs: number): Promise<void> {
    this.release(held)
    const { accountId, queueId } = held.entry
    try {
      await this.#store.renewLease(accountId, queueId, untilMs)
    } catch (error) {
      this.#log.warn('cannot give a queued letter back; it is free when its lease ends', { queueId, error })
    }
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #wait(): void {
    this.#cancel = this.#clock.after(leaseMs / 4, () => {
      this.#cancel = null
      if (this.#held.size === 0) return
      this.#wait()
      this.#renew()
    })
  }

  #renew(): void {
    const now = this.#clock.now()
    for (const held of this.#held.values()) {
      if (held.leasedUntil - now > leaseMs / 2) continue
      const until = now + leaseMs
      const { accountId, queueId } = held.entry
      this.#store.renewLease(accountId, queueId, until).then(
        () => {
          held.leasedUntil = until
        },
        (error) => this.#log.warn('cannot renew the lease of a queued letter', { queueId, error }),
      )
    }
  }
}
