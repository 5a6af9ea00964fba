import type { Clock } from '../../base/clock.ts'
import type { FileHold } from './housekeeping/file-hold.ts'
import { graceMs } from './housekeeping/window.ts'
import type { WriterClient } from './writer-client.ts'

const everyMs = 60_000

/** Has the writer clear garbage away, in small pieces and behind everything else. */
export class Sweeper {
  readonly #writer: WriterClient
  readonly #clock: Clock
  readonly #hold: FileHold
  /** How long what was expunged can be put back. */
  readonly #undeleteMs: number
  #cancel: () => void
  #running = false
  /** Woken since the sweep under way began. */
  #wanted = false
  #stopped = false

  constructor(writer: WriterClient, clock: Clock, hold: FileHold, undeleteMs: number) {
    this.#writer = writer
    this.#clock = clock
    this.#hold = hold
    this.#undeleteMs = undeleteMs
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
        const now = this.#clock.now()
        const call = { before: now - graceMs, windowBefore: now - Math.max(this.#undeleteMs, graceMs) }
        more = await this.#hold.run(() => this.#writer.ask('sweep', call, 'bulk'))
      }
    } catch {
      // The disk fails, or the store is closing; the next round tries again.
    } finally {
      this.#running = false
    }
  }
}
