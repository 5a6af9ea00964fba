import type { Clock } from '../../base/clock.ts'
import type { WriterClient } from './writer-client.ts'

/** How long an expunged message can still be read by a session that has not been told. */
const graceMs = 10 * 60_000
const everyMs = 60_000

/** Has the writer clear garbage away, in small pieces and behind everything else. */
export class Sweeper {
  readonly #writer: WriterClient
  readonly #clock: Clock
  #cancel: () => void
  #running = false
  /** Woken since the sweep under way began. */
  #wanted = false
  #stopped = false

  constructor(writer: WriterClient, clock: Clock) {
    this.#writer = writer
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
      this.wake()
      this.#cancel = this.#later()
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
