/** A segment that compaction writes. It is whole and on the disk before a row names it; until then it is nobody's. */
import { join } from 'node:path'
import type { Disk } from '../disk.ts'
import { segmentFile } from '../segment-name.ts'

/** Octets that are gathered for one write. */
const writeOctets = 1_048_576
/** Octets between two syncs: a long one at the end would hold up those of the letters that arrive meanwhile. */
const syncOctets = 4_194_304

export class PackedSegment {
  readonly segment: number
  readonly #disk: Disk
  readonly #file: string
  readonly #folder: string
  readonly #fd: number
  #chunks: Uint8Array[] = []
  #waiting = 0
  #octets = 0
  #syncedOctets = 0
  #open = true

  /** @param segment A number that no file has had before: one that is still open by readers is not to be mistaken. */
  constructor(disk: Disk, folder: string, segment: number) {
    this.segment = segment
    this.#disk = disk
    this.#folder = join(folder, 'seg')
    this.#file = segmentFile(folder, segment)
    this.#fd = disk.create(this.#file)
  }

  get octets(): number {
    return this.#octets
  }

  /** @returns Where it begins. */
  append(record: Uint8Array): number {
    const offset = this.#octets
    this.#chunks.push(record)
    this.#octets += record.length
    this.#waiting += record.length
    if (this.#waiting >= writeOctets) this.#write()
    if (this.#octets - this.#syncedOctets >= syncOctets) this.#sync()
    return offset
  }

  /** After this it survives a power cut. */
  finish(): void {
    this.#sync()
    this.#disk.syncFolder(this.#folder)
    this.#close()
  }

  /** Removes it, as long as no row names it. */
  discard(): void {
    this.#close()
    try {
      this.#disk.remove(this.#file)
    } catch {
      // A pass of another day finds it.
    }
  }

  #write(): void {
    if (this.#chunks.length > 0) this.#disk.write(this.#fd, this.#chunks)
    this.#chunks = []
    this.#waiting = 0
  }

  #sync(): void {
    this.#write()
    this.#disk.sync(this.#fd)
    this.#syncedOctets = this.#octets
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#disk.close(this.#fd)
  }
}
