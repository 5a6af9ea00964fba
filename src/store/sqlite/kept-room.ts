/**
 * A file of octets that say nothing, to be removed when the disk is full although new mail left room: what a power cut took
 * from the tables can then be done again at the start, and people can delete.
 */
import { randomFillSync } from 'node:crypto'
import { join } from 'node:path'
import type { Disk } from './disk.ts'

/** More than the tables' log grows to between two checkpoints, as a rule. */
export const keptOctets = 16 * 1024 * 1024
const pieceOctets = 1024 * 1024

export class KeptRoom {
  readonly #disk: Disk
  readonly #folder: string
  readonly #reserve: number
  readonly #octets: number
  #kept = false

  /** @param reserve What new mail leaves; with 0 no room is kept. */
  constructor(disk: Disk, folder: string, reserve: number) {
    this.#disk = disk
    this.#folder = folder
    this.#reserve = reserve
    this.#octets = Math.min(keptOctets, reserve)
  }

  /** Makes the file, where there is plenty of room. Not synced: it may take its time. */
  keep(): void {
    if (this.#kept || this.#octets === 0) return
    try {
      this.#kept = this.#has() || (this.#hasRoom() && this.#make())
    } catch {
      // Later, perhaps.
      this.free()
    }
  }

  /** @returns Whether there was any. */
  free(): boolean {
    this.#kept = false
    try {
      this.#disk.remove(this.#file)
      return true
    } catch {
      return false
    }
  }

  get #file(): string {
    return join(this.#folder, 'kept-room')
  }

  #hasRoom(): boolean {
    return this.#disk.freeOctets(this.#folder) > this.#reserve + 2 * this.#octets
  }

  #has(): boolean {
    let fd: number
    try {
      fd = this.#disk.openToWrite(this.#file)
    } catch {
      return false
    }
    const size = this.#disk.size(fd)
    this.#disk.close(fd)
    if (size >= this.#octets) return true
    this.free()
    return false
  }

  #make(): true {
    // Zeros take no room where the file system compresses.
    const piece = randomFillSync(Buffer.allocUnsafeSlow(Math.min(pieceOctets, this.#octets)))
    const fd = this.#disk.create(this.#file)
    try {
      for (let at = 0; at < this.#octets; at += piece.length)
        this.#disk.write(fd, [piece.subarray(0, Math.min(piece.length, this.#octets - at))], at)
    } finally {
      this.#disk.close(fd)
    }
    return true
  }
}
