/**
 * Finds the batches that were on the disk and are not in the tables: those since the tables were last synced, when power
 * went, and those that shared a transaction, when it was not committed. They lie one after another behind what the tables know. Where a batch failed, another segment goes on in its
 * place: its first record names the same position.
 *
 * Records that cannot be reached this way, though they came later, say that the tables are of an older copy, or that a record
 * between is damaged. Going on would hide acknowledged mail and give out its numbers again: so the store is not opened.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { StoreUnopenable } from '../errors.ts'
import { type BatchRecord, isBatchRecord, type SegmentEnd, unpackBatch } from './batch-record.ts'
import { readRecordHeader, recordHeaderOctets } from './record.ts'
import { segmentFile } from './segment-name.ts'

export interface LostBatch extends BatchRecord {
  /** Behind it. */
  readonly end: SegmentEnd
}

export class LostBatches {
  readonly #folder: string
  /** The first batch of each segment file, the highest number first. */
  readonly #first = new Map<number, LostBatch | null>()
  readonly #unrecorded: number

  /** @param unrecorded Batches without a record that the tables have. */
  constructor(folder: string, unrecorded: number) {
    this.#folder = folder
    this.#unrecorded = unrecorded
  }

  /**
   * @returns What was done when the tables had everything up to `reached`; null when nothing was.
   * @throws {StoreUnopenable} Something was, and cannot be done again.
   */
  after(reached: SegmentEnd): LostBatch | null {
    const next = this.#next(reached)
    if (next === null ? this.#goesOnBeyond(reached) : next.unrecorded > this.#unrecorded)
      throw this.#tooOld(reached)
    return next
  }

  #next(reached: SegmentEnd): LostBatch | null {
    for (const segment of this.#above(reached.segment)) {
      const first = this.#firstOf(segment)
      if (first !== null && isSameEnd(first.after, reached)) return first
    }
    const next = reached.segment === 0 ? null : this.#read(reached)
    return next !== null && isSameEnd(next.after, reached) ? next : null
  }

  #goesOnBeyond(reached: SegmentEnd): boolean {
    const ends = this.#above(reached.segment).map((segment) => ({ segment, offset: 0 }))
    if (reached.segment > 0) ends.push(reached)
    return ends.some((end) => this.#recordsFrom(end).some(({ after }) => isLater(after, reached)))
  }

  /** Those that are whole, whatever their bodies are. By the lengths in the headers: bodies are other people's octets. */
  *#recordsFrom({ segment, offset }: SegmentEnd): Generator<BatchRecord> {
    const fd = this.#open(segment)
    if (fd === null) return
    try {
      const size = fstatSync(fd).size
      for (let at = offset; at + recordHeaderOctets <= size; ) {
        const header = readAt(fd, at, recordHeaderOctets)
        const octets = recordHeaderOctets + header.readUInt32BE(12)
        if (at + octets > size) return
        if (isBatchRecord(header)) {
          const batch = unpackBatch(readAt(fd, at, octets))
          if (batch !== null) yield batch
        } else if (readRecordHeader(header, 0) === null) return
        at += octets
      }
    } finally {
      closeSync(fd)
    }
  }

  #tooOld({ segment, offset }: SegmentEnd): StoreUnopenable {
    const later = this.#above(segment).map((other) => segmentFile(this.#folder, other))
    const cut = segment === 0 ? [] : [`truncate -s ${offset} ${segmentFile(this.#folder, segment)}`]
    const aside = later.map((file) => `mv ${file} ${file}.aside`)
    return new StoreUnopenable(
      `Cannot open the store: ${join(this.#folder, 'meta.db')} does not know of changes that were made later, and some of them are missing. It was put back from an older copy, or a file is damaged`,
      'Put back the meta.db that belongs to the files in seg/ (with its meta.db-wal), or a whole backup: posthorn restore. ' +
        'To go on without those changes, keep a copy of the folder, then: ' +
        [...cut, ...aside].join('; '),
    )
  }

  #above(segment: number): number[] {
    return readdirSync(join(this.#folder, 'seg'))
      .map((name) => Number(/^0-(\d{1,15})\.seg$/.exec(name)?.[1] ?? 0))
      .filter((other) => other > segment)
      .sort((a, b) => b - a)
  }

  #firstOf(segment: number): LostBatch | null {
    let first = this.#first.get(segment)
    if (first === undefined) {
      first = this.#read({ segment, offset: 0 })
      this.#first.set(segment, first)
    }
    return first
  }

  /** The batch whose bodies begin there; null when it is not whole. */
  #read({ segment, offset }: SegmentEnd): LostBatch | null {
    const fd = this.#open(segment)
    if (fd === null) return null
    try {
      const size = fstatSync(fd).size
      for (let at = offset; at + recordHeaderOctets <= size; ) {
        const header = readAt(fd, at, recordHeaderOctets)
        const octets = recordHeaderOctets + header.readUInt32BE(12)
        if (at + octets > size) return null
        const record = readAt(fd, at, octets)
        at += octets
        if (isBatchRecord(header)) {
          const batch = unpackBatch(record)
          return batch === null ? null : { ...batch, end: { segment, offset: at } }
        }
        const body = readRecordHeader(record, 0)
        if (body === null || body.crc !== crc32(record.subarray(recordHeaderOctets))) return null
      }
      return null
    } finally {
      closeSync(fd)
    }
  }

  #open(segment: number): number | null {
    try {
      return openSync(segmentFile(this.#folder, segment), 'r')
    } catch (error) {
      // One that is there and cannot be opened may hold mail that was acknowledged.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return null
    }
  }
}

export function isSameEnd(a: SegmentEnd, b: SegmentEnd): boolean {
  return a.segment === b.segment && a.offset === b.offset
}

function isLater(a: SegmentEnd, b: SegmentEnd): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset)
}

function readAt(fd: number, at: number, octets: number): Buffer {
  const buffer = Buffer.allocUnsafe(octets)
  for (let got = 0; got < octets; ) {
    const more = readSync(fd, buffer, got, octets - got, at + got)
    if (more === 0) throw new Error('Cannot read a segment: it is shorter than it says')
    got += more
  }
  return buffer
}
