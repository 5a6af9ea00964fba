import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { LeaseTerms, QueueEntry, QueueStore, QueueTaker } from '../store/queue.ts'
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
  /** How many may be held when none is. */
  most(): number
  take(entries: readonly QueueEntry[]): void
  /** More is due than may be held. */
  starved(): void
}

/**
 * Brings what is due from the store: when something is queued, when the next row becomes due, and when there is room
 * again. Between these nothing is asked, and what is asked does not depend on how much lies in the queue.
 *
 * What is queued while there is room, and nothing in the store waits for its turn, comes with its accept.
 */
export class Intake implements QueueTaker {
  readonly #store: QueueStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #desk: IntakeDesk
  #running: Promise<void> | null = null
  /** More was due than there was room for. */
  #hungry = false
  /** More may be due than was taken; what is queued meanwhile must not overtake it. */
  #behind = true
  /** Rows that are being queued and will be ours. */
  #reserved = 0
  /** Those of them that have been, until the end of this turn. */
  #arrived: (readonly QueueEntry[])[] = []
  #noneReserved: (() => void) | null = null
  #again = false
  #stopped = false
  #failed = false
  #cancel: (() => void) | null = null
  #unsubscribe: (() => void)[] = []

  constructor(store: QueueStore, clock: Clock, log: Log, desk: IntakeDesk) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#desk = desk
  }

  /** It has begun, goes on, and got an answer when it last asked. */
  get runs(): boolean {
    return this.#unsubscribe.length > 0 && !this.#stopped && !this.#failed
  }

  start(): void {
    this.#unsubscribe = [this.#store.onQueued(() => this.wake()), this.#store.handOut(this)]
    this.wake()
  }

  /** Resolves when what was being asked has been answered and handed on. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const end of this.#unsubscribe) end()
    this.#cancel?.()
    await this.#running
    if (this.#reserved > 0) await new Promise<void>((resolve) => (this.#noneReserved = resolve))
  }

  /** Rows have been let go of. */
  roomMade(): void {
    if (this.#hungry && this.#room() >= Math.min(leastRows, this.#desk.most() / 4)) this.wake()
  }

  reserve(rows: number): LeaseTerms | null {
    if (this.#stopped || this.#failed || this.#behind || rows > this.#room()) return null
    this.#reserved += rows
    return { nowMs: this.#clock.now(), leaseMs }
  }

  take(rows: number, entries: readonly QueueEntry[]): void {
    this.#reserved -= rows - entries.length
    this.#arrived.push(entries)
    // First its sender is answered, and its journey begun; and what was accepted together goes on together.
    if (this.#arrived.length === 1) setImmediate(() => this.#takeArrived())
  }

  #takeArrived(): void {
    for (const entries of this.#arrived.splice(0)) {
      this.#reserved -= entries.length
      try {
        this.#desk.take(entries)
      } catch (error) {
        this.#log.error('cannot take up letters that were queued', { error })
      }
    }
    this.roomMade()
    if (this.#reserved === 0) this.#noneReserved?.()
  }

  #room(): number {
    return this.#desk.room() - this.#reserved
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
      const limit = Math.min(this.#room(), batchRows)
      const now = this.#clock.now()
      if (limit < least) {
        this.#hungry = true
        this.#behind = true
        const due = await this.#store.nextDueAt()
        if (due !== null && due <= now) this.#desk.starved()
        return now + longestSleepMs
      }
      const entries = await this.#store.lease(now, leaseMs, limit)
      this.#behind = entries.length === limit
      this.#desk.take(entries)
      if (this.#stopped) return now
      if (this.#behind) continue
      const due = await this.#store.nextDueAt()
      if (due === null) return now + longestSleepMs
      if (due > now) return Math.min(now + longestSleepMs, due)
      // Became due while we asked; or, if the store gives nothing although something is due, do not spin.
      if (entries.length === 0) return this.#clock.now() + notThereMs
    }
  }
}
