/**
 * Finds the batches that were on the disk and are not in the tables: those since the tables were last synced, when power
 * went. They lie one after another behind what the tables know. Where a batch failed, another segment goes on in its
 * place: its first record names the same position.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type BatchRecord, isBatchRecord, type SegmentEnd, unpackBatch } from './batch-record.ts'
import { readRecordHeader, recordHeaderOctets } from './record.ts'
import { segmentFile } from './segments.ts'

export interface LostBatch extends BatchRecord {
  /** Behind it. */
  readonly end: SegmentEnd
}

export class LostBatches {
  readonly #folder: string
  /** The first batch of each segment file, the highest number first. */
  readonly #first = new Map<number, LostBatch | null>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** @returns What was done when the tables had everything up to `reached`; null when nothing was. */
  after(reached: SegmentEnd): LostBatch | null {
    for (const segment of this.#above(reached.segment)) {
      const first = this.#firstOf(segment)
      if (first !== null && isSame(first.after, reached)) return first
    }
    const next = reached.segment === 0 ? null : this.#read(reached)
    return next !== null && isSame(next.after, reached) ? next : null
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
    let fd: number
    try {
      fd = openSync(segmentFile(this.#folder, segment), 'r')
    } catch (error) {
      // One that is there and cannot be opened may hold mail that was acknowledged.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return null
    }
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
}

function isSame(a: SegmentEnd, b: SegmentEnd): boolean {
  return a.segment === b.segment && a.offset === b.offset
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
