/**
 * The end of the bodies' files: appends what one batch brought, syncs it, and says where each body lies. Rows are written
 * only after that. A segment that is full, or that failed to write or to sync, is never written again: after a failed
 * sync the system may have forgotten octets it says it holds.
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { Sql } from './database.ts'
import type { Disk } from './disk.ts'
import { recordHeaderOctets, writeRecordHeader } from './record.ts'

export const segmentOctets = 64 * 1024 * 1024

/** A body in a buffer that has `recordHeaderOctets` of room before it. */
export interface Arrived {
  readonly buffer: Buffer
  /** Where the room begins. */
  readonly at: number
  readonly octets: number
}

export interface Placed {
  readonly segment: number
  /** Of the record, not of the body in it. */
  readonly offset: number
  /** First 16 octets of the SHA-256. */
  readonly hash: Uint8Array
}

/** Below the shard's folder. */
export function segmentName(segment: number): string {
  // Each has one that writes it: above zero the writer, below zero the housekeeping.
  return segment > 0 ? `seg/0-${segment}.seg` : `seg/1-${-segment}.seg`
}

export function segmentFile(folder: string, segment: number): string {
  return join(folder, segmentName(segment))
}

export class Segments {
  readonly #sql: Sql
  readonly #disk: Disk
  readonly #folder: string
  #fd: number | null = null
  #segment = 0
  #offset = 0
  /** Not named by the tables yet: those before it are not written any more, and the tables shall say so. */
  #fresh = false

  constructor(sql: Sql, disk: Disk, folder: string) {
    this.#sql = sql
    this.#disk = disk
    this.#folder = folder
    disk.makeFolder(join(folder, 'seg'))
    disk.syncFolder(folder)
    this.#resume()
  }

  /**
   * Puts bodies on the disk, in one write and one sync.
   *
   * @throws {Error} The disk's own; none of them counts then, and the next call begins another segment.
   */
  append(bodies: readonly Arrived[]): Placed[] {
    if (this.#fd === null) this.#begin()
    const fd = this.#fd!
    let offset = this.#offset
    const placed: Placed[] = []
    for (const body of bodies) {
      const from = body.at + recordHeaderOctets
      const digest = hash('sha256', body.buffer.subarray(from, from + body.octets), 'buffer').subarray(0, 16)
      writeRecordHeader(body.buffer, body.at, body.octets, digest)
      placed.push({ segment: this.#segment, offset, hash: digest })
      offset += recordHeaderOctets + body.octets
    }
    try {
      this.#disk.write(fd, joinNeighbours(bodies))
      this.#disk.sync(fd)
    } catch (error) {
      this.#abandon()
      throw error
    }
    this.#offset = offset
    return placed
  }

  /** Notes in the transaction under way how far rows may refer to the segment; seals it when it is full. */
  note(): void {
    if (this.#fd === null) return
    const full = this.#offset >= segmentOctets
    if (this.#fresh)
      this.#sql.run('UPDATE segment SET sealed = 1 WHERE sealed = 0 AND segment < ?', this.#segment)
    this.#sql.run(
      'INSERT INTO segment (segment, octets, sealed) VALUES (?, ?, ?) ON CONFLICT (segment) DO UPDATE SET octets = excluded.octets, sealed = excluded.sealed',
      this.#segment,
      this.#offset,
      full ? 1 : 0,
    )
    if (full) this.#abandon()
  }

  /** What `note` wrote is on the disk. */
  noted(): void {
    this.#fresh = false
  }

  close(): void {
    this.#abandon()
  }

  /**
   * Goes on with the segment of the last run when it ends where the rows say. If it is longer, a crash left a tail that
   * nobody was promised: it stays as it is, for whoever has to rebuild the tables one day, and a new segment begins.
   */
  #resume(): void {
    const last = this.#sql.get('SELECT segment, octets, sealed FROM segment ORDER BY segment DESC LIMIT 1')
    if (last === undefined) return
    this.#segment = last[0] as number
    if (last[2] === 1) return
    try {
      const fd = this.#disk.openToAppend(segmentFile(this.#folder, this.#segment))
      if (this.#disk.size(fd) !== last[1]) {
        this.#disk.close(fd)
        return
      }
      this.#fd = fd
      this.#offset = last[1] as number
    } catch {
      // What cannot be opened cannot be appended to; reading its bodies will say so for each.
    }
  }

  #begin(): void {
    for (;;) {
      this.#segment++
      try {
        const fd = this.#disk.create(segmentFile(this.#folder, this.#segment))
        this.#disk.syncFolder(join(this.#folder, 'seg'))
        this.#fd = fd
        this.#offset = 0
        this.#fresh = true
        return
      } catch (error) {
        // Left by a crash before its first commit.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
  }

  #abandon(): void {
    if (this.#fd === null) return
    try {
      this.#disk.close(this.#fd)
    } finally {
      this.#fd = null
    }
  }
}

/** Bodies that lie one after another in the same buffer are written as one piece. */
function joinNeighbours(bodies: readonly Arrived[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let i = 0; i < bodies.length; ) {
    const first = bodies[i]!
    let end = first.at
    while (i < bodies.length && bodies[i]!.buffer === first.buffer && bodies[i]!.at === end) {
      end += recordHeaderOctets + bodies[i]!.octets
      i++
    }
    pieces.push(first.buffer.subarray(first.at, end))
  }
  return pieces
}
