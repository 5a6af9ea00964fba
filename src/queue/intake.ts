import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { QueueEntry, QueueStore } from '../store/queue.ts'
import { leaseMs } from './options.ts'

/** Rows asked for at once. */
const batchRows = 200
/** Room for fewer is left until there is more of it: leasing a few costs about as much as leasing many. */
const leastRows = 50
/** A clock that was set, or another process that died: looked after at least this often, at the price of one question. */
const longestSleepMs = leaseMs
const afterTroubleMs = 5_000
const notThereMs = 1_000

export interface IntakeDesk {
  /** How many more rows may be held. */
  room(): number
  take(entries: readonly QueueEntry[]): void
  /** More is due than may be held. */
  starved(): void
}

/**
 * Brings what is due from the store: when something is queued, when the next row becomes due, and when there is room
 * again. Between these nothing is asked, and what is asked does not depend on how much lies in the queue.
 */
export class Intake {
  readonly #store: QueueStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #desk: IntakeDesk
  #running: Promise<void> | null = null
  /** More was due than there was room for. */
  #hungry = false
  #again = false
  #stopped = false
  #failed = false
  #cancel: (() => void) | null = null
  #unsubscribe: (() => void) | null = null

  constructor(store: QueueStore, clock: Clock, log: Log, desk: IntakeDesk) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#desk = desk
  }

  /** It has begun, goes on, and got an answer when it last asked. */
  get runs(): boolean {
    return this.#unsubscribe !== null && !this.#stopped && !this.#failed
  }

  start(): void {
    this.#unsubscribe = this.#store.onQueued(() => this.wake())
    this.wake()
  }

  /** Resolves when what was being asked has been answered and handed on. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe?.()
    this.#cancel?.()
    await this.#running
  }

  /** Rows have been let go of. @param of How many may be held. */
  roomMade(room: number, of: number): void {
    if (this.#hungry && room >= Math.min(leastRows, of / 4)) this.wake()
  }

  wake(): void {
    if (this.#stopped) return
    if (this.#running !== null) {
      this.#again = true
      return
    }
    this.#cancel?.()
    this.#cancel = null
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    let wakeAt: number
    try {
      do {
        this.#again = false
        this.#hungry = false
        wakeAt = await this.#fill()
        // The time may have come while the store was asked for it.
      } while (!this.#stopped && (this.#again || wakeAt <= this.#clock.now()))
      this.#failed = false
    } catch (error) {
      this.#log.error('cannot take letters from the queue', { error })
      this.#failed = true
      wakeAt = this.#clock.now() + afterTroubleMs
    }
    this.#running = null
    if (this.#stopped) return
    this.#cancel = this.#clock.after(wakeAt - this.#clock.now(), () => this.wake())
  }

  /** @returns Until when there is nothing to do. */
  async #fill(): Promise<number> {
    for (let least = 1; ; least = leastRows) {
      const limit = Math.min(this.#desk.room(), batchRows)
      const now = this.#clock.now()
      if (limit < least) {
        this.#hungry = true
        const due = await this.#store.nextDueAt()
        if (due !== null && due <= now) this.#desk.starved()
        return now + longestSleepMs
      }
      const entries = await this.#store.lease(now, leaseMs, limit)
      this.#desk.take(entries)
      if (this.#stopped) return now
      if (entries.length === limit) continue
      const due = await this.#store.nextDueAt()
      if (due === null) return now + longestSleepMs
      if (due > now) return Math.min(now + longestSleepMs, due)
      // Became due while we asked; or, if the store gives nothing although something is due, do not spin.
      if (entries.length === 0) return this.#clock.now() + notThereMs
    }
  }
}
