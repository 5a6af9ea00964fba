/**
 * The end of the bodies' files: says where each body of a batch will lie, and puts them and the batch's record there with
 * one sync. Rows are committed only after that. A segment that is full, or whose last batch failed at any point, is never
 * written again: after a failed sync the system may have forgotten octets it says it holds, and the record of a batch
 * that did not happen is told from the others by the segment that begins in its place.
 */
import { readSync } from 'node:fs'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { SegmentEnd } from './batch-record.ts'
import type { Sql } from './database.ts'
import type { Disk } from './disk.ts'
import { recordHeaderOctets, writeRecordHeader } from './record.ts'
import { segmentFile } from './segment-name.ts'

export const segmentOctets = 64 * 1024 * 1024
/** What a segment has ahead of what is written to it. */
const roomOctets = 1024 * 1024

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

/** How far the tables know the segments that the writer writes. */
export function endOfTables(sql: Sql): SegmentEnd {
  const last = sql.get('SELECT segment, octets FROM segment WHERE segment > 0 ORDER BY segment DESC LIMIT 1')
  return { segment: Number(last?.[0] ?? 0), offset: Number(last?.[1] ?? 0) }
}

export class Segments {
  readonly #sql: Sql
  readonly #disk: Disk
  readonly #folder: string
  #fd: number | null = null
  #segment = 0
  /** End of what the tables know. */
  #offset = 0
  /** Bodies of the batch under way, and where it will end. */
  #staged: readonly Arrived[] = []
  #end = 0
  #writing = false
  /** Where the batch's bodies end and its record begins; null: they are not on the disk yet. */
  #recordAt: number | null = null
  /** Room that the file has: to overwrite costs half of what it costs to append and sync. */
  #room = 0
  /** Not named by the tables yet: those before it are not written any more, and the tables shall say so. */
  #fresh = false
  /** What the transaction under way must tell the tables yet. */
  #unnoted: SegmentEnd | null = null
  /** Up to where the tables have everything. */
  #reached: SegmentEnd

  constructor(sql: Sql, disk: Disk, folder: string) {
    this.#sql = sql
    this.#disk = disk
    this.#folder = folder
    disk.makeFolder(join(folder, 'seg'))
    disk.syncFolder(folder)
    this.#reached = endOfTables(sql)
  }

  /** Whether the batch has bodies: then the tables will know of a new end. */
  get moves(): boolean {
    return this.#staged.length > 0
  }

  /** Whether the next batch goes on in it. */
  isWriting(segment: number): boolean {
    return this.#fd !== null && this.#segment === segment
  }

  /** For the record of the next batch. */
  get reached(): SegmentEnd {
    return this.#reached
  }

  /**
   * Begins a batch: says where its bodies will lie; `write` puts them there.
   *
   * @throws {Error} No segment can be begun.
   */
  place(bodies: readonly Arrived[]): Placed[] {
    if (this.#fd === null && bodies.length > 0) this.#begin()
    let offset = this.#offset
    const placed: Placed[] = []
    for (const body of bodies) {
      const from = body.at + recordHeaderOctets
      const digest = hash('sha256', body.buffer.subarray(from, from + body.octets), 'buffer').subarray(0, 16)
      writeRecordHeader(body.buffer, body.at, body.octets, digest)
      placed.push({ segment: this.#segment, offset, hash: digest })
      offset += recordHeaderOctets + body.octets
    }
    this.#staged = bodies
    return placed
  }

  /**
   * Puts what was placed on the disk, and the record of the batch after it, in one write and one sync.
   *
   * @param record Null when the commit is synced itself.
   * @throws {Error} The disk's own: then nothing of the batch counts.
   */
  write(record: Buffer | null): void {
    if (this.#staged.length === 0 && record === null) return
    if (this.#fd === null) this.#begin()
    const fd = this.#fd!
    this.#writing = true
    this.#recordAt = null
    const pieces = joinNeighbours(this.#staged)
    if (record !== null) pieces.push(record)
    this.#end = pieces.reduce((end, piece) => end + piece.length, this.#offset)
    this.#makeRoom(fd)
    this.#disk.write(fd, pieces, this.#offset)
    this.#disk.sync(fd)
    this.#recordAt = this.#end - (record?.length ?? 0)
    if (this.#fresh) {
      // Of the segment before, too.
      this.note()
      this.#sealBefore(this.#segment)
    }
    this.#unnoted = { segment: this.#segment, offset: this.#end }
  }

  /** The transaction in which `write` was is committed. */
  written(): void {
    if (!this.#writing) return
    this.#writing = false
    this.#staged = []
    this.#fresh = false
    this.#offset = this.#end
    this.#reached = { segment: this.#segment, offset: this.#offset }
    if (this.#offset >= segmentOctets) this.close()
  }

  /**
   * The transaction was undone. What of it may be on the disk is not written over: the next batch begins a segment. If there
   * is no next one, its record must not be found at the next start: whoever was refused may have removed his large body.
   */
  undo(): void {
    this.#unnoted = null
    if (!this.#writing) return
    this.#writing = false
    this.#staged = []
    const fd = this.#fd!
    const whole = this.#recordAt !== null
    this.#attempt(() => {
      // A commit that failed may yet be found in the tables' log: its bodies stay.
      if (whole) this.#disk.write(fd, [Buffer.alloc(recordHeaderOctets)], this.#recordAt!)
      this.#disk.truncate(fd, whole ? this.#end : this.#offset)
      this.#disk.sync(fd)
    })
    this.#abandon()
    // On a full disk every batch would leave one.
    if (!whole && this.#offset === 0)
      this.#attempt(() => this.#disk.remove(segmentFile(this.#folder, this.#segment)))
  }

  /** A batch that the tables did not have has been done again, in the transaction under way. */
  redone(end: SegmentEnd): void {
    this.#sealBefore(end.segment)
    this.#note(end)
  }

  /** Gives back the room that was not used. */
  close(): void {
    const fd = this.#fd
    if (fd === null) return
    if (this.#room > this.#offset) this.#attempt(() => this.#disk.truncate(fd, this.#offset))
    this.#abandon()
  }

  /** Notes in the transaction under way how far rows may refer to the segment: before its commit. */
  note(): void {
    if (this.#unnoted !== null) this.#note(this.#unnoted)
    this.#unnoted = null
  }

  #sealBefore(segment: number): void {
    this.#sql.run('UPDATE segment SET sealed = 1 WHERE sealed = 0 AND segment < ?', segment)
  }

  #note({ segment, offset }: SegmentEnd): void {
    this.#sql.run(
      'INSERT INTO segment (segment, octets, sealed) VALUES (?, ?, ?) ON CONFLICT (segment) DO UPDATE SET octets = excluded.octets, sealed = excluded.sealed',
      segment,
      offset,
      offset >= segmentOctets ? 1 : 0,
    )
  }

  #makeRoom(fd: number): void {
    const room = Math.min(this.#end + roomOctets, segmentOctets)
    if (this.#end <= this.#room || this.#end >= room) return
    try {
      this.#disk.fill(fd, this.#end, room)
      this.#room = room
    } catch {
      // The disk is full, or nearly: what must be written says so itself, and gets what is left.
      this.#attempt(() => this.#disk.truncate(fd, Math.max(this.#room, this.#offset)))
    }
  }

  /**
   * Goes on with the segment of the last run when there is nothing but room behind what the rows know. If there is more, a
   * crash left a tail that nobody was promised (what somebody was has been done again): a new segment begins.
   *
   * @returns Whether there was such a tail.
   */
  resume(): boolean {
    this.#reached = endOfTables(this.#sql)
    const { segment, offset } = this.#reached
    this.#segment = segment
    if (this.#sql.get('SELECT 1 FROM segment WHERE segment = ? AND sealed = 0', segment) === undefined)
      return false
    try {
      const fd = this.#disk.openToWrite(segmentFile(this.#folder, this.#segment))
      const size = this.#disk.size(fd)
      if (size < offset || !isRoom(fd, offset, size)) {
        this.#disk.close(fd)
        return size > offset
      }
      this.#fd = fd
      this.#offset = offset
      this.#room = size
    } catch {
      // What cannot be opened cannot be written to; reading its bodies will say so for each.
    }
    return false
  }

  #begin(): void {
    for (;;) {
      this.#segment++
      try {
        const fd = this.#disk.create(segmentFile(this.#folder, this.#segment))
        this.#disk.syncFolder(join(this.#folder, 'seg'))
        this.#fd = fd
        this.#offset = 0
        this.#room = 0
        this.#fresh = true
        return
      } catch (error) {
        // Left by a crash before its first commit.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
  }

  #abandon(): void {
    const fd = this.#fd
    if (fd === null) return
    this.#fd = null
    this.#attempt(() => this.#disk.close(fd))
  }

  /** What is tidied up, and fails, is not to fail a batch that is committed. */
  #attempt(tidy: () => void): void {
    try {
      tidy()
    } catch {
      // Room is lost, no mail.
    }
  }
}

/** Whether there is nothing but zeros: what a killed process had ahead of what it wrote. */
function isRoom(fd: number, from: number, to: number): boolean {
  if (to - from > 2 * roomOctets) return false
  const rest = Buffer.allocUnsafe(to - from)
  for (let got = 0; got < rest.length; ) {
    const more = readSync(fd, rest, got, rest.length - got, from + got)
    if (more === 0) return false
    got += more
  }
  return rest.equals(Buffer.alloc(rest.length))
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
