import { StoreUnavailable } from '../errors.ts'
import type { Disk } from './disk.ts'

const everyMs = 1_000

/**
 * Room that new mail leaves alone, so that expunging, flags, the ends of queue rows and SQLite's own log find some when the
 * disk is nearly full: a disk that is quite full lets nobody delete.
 */
export class DiskReserve {
  readonly #disk: Disk
  readonly #folder: string
  readonly #octets: number
  #askedAt = Number.NEGATIVE_INFINITY
  #low = false

  /** @param octets 0: no bound. */
  constructor(disk: Disk, folder: string, octets: number) {
    this.#disk = disk
    this.#folder = folder
    this.#octets = octets
  }

  /** Asks the system once a second at most: a microsecond or two. @throws {StoreUnavailable} */
  check(): void {
    const now = performance.now()
    if (this.#octets > 0 && now - this.#askedAt >= everyMs) {
      this.#askedAt = now
      this.#low = this.#freeOctets() < this.#octets
    }
    if (this.#low) throw new StoreUnavailable('less room on the disk than limits.disk_reserve_octets')
  }

  #freeOctets(): number {
    try {
      return this.#disk.freeOctets(this.#folder)
    } catch {
      // A disk that cannot say will say more when it is written to.
      return Number.POSITIVE_INFINITY
    }
  }
}
