import type { Clock } from '../../base/clock.ts'
import type { Sql } from './database.ts'
import { deadSegments } from './dead-segments.ts'
import type { WriterClient } from './writer-client.ts'

/** How long an expunged message can still be read by a session that has not been told. */
const graceMs = 10 * 60_000
const everyMs = 60_000
/** Rounds between two searches for dead segments: three hours. */
const segmentRounds = 180

/** Has the writer clear garbage away, in small pieces and behind everything else. */
export class Sweeper {
  readonly #writer: WriterClient
  readonly #sql: Sql
  readonly #clock: Clock
  #rounds = 0
  #cancel: () => void
  #running = false
  /** Woken since the sweep under way began. */
  #wanted = false
  #stopped = false

  constructor(writer: WriterClient, sql: Sql, clock: Clock) {
    this.#writer = writer
    this.#sql = sql
    this.#clock = clock
    this.#cancel = this.#later()
  }

  wake(): void {
    this.#wanted = true
    if (!this.#running && !this.#stopped) void this.#run()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #later(): () => void {
    return this.#clock.after(everyMs, () => {
      if (++this.#rounds % segmentRounds === 0) this.#dropSegments()
      this.wake()
      this.#cancel = this.#later()
    })
  }

  #dropSegments(): void {
    deadSegments(this.#sql, () => this.#stopped)
      .then((segments) => this.#writer.ask('dropSegments', { segments }, 'bulk'))
      .catch(() => {
        // The disk fails, or the store is closing; the next round tries again.
      })
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      let more = false
      while ((more || this.#wanted) && !this.#stopped) {
        this.#wanted = false
        more = await this.#writer.ask('sweep', { before: this.#clock.now() - graceMs }, 'bulk')
      }
    } catch {
      // The disk fails, or the store is closing; the next round tries again.
    } finally {
      this.#running = false
    }
  }
}
