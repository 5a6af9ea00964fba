/**
 * Writes what is still needed of a sealed segment into another one, compressed where that helps.
 *
 * The order: the new segment whole, synced, its folder synced; then rows that still point at the old place are pointed at
 * the new one, a few at a time; then, when no row points at the old segment any more, it may go. Whatever is interrupted
 * leaves every row at a place where its body is: at the old one, the new one, or some here and some there.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { constants, crc32, zstdCompressSync } from 'node:zlib'
import { readRecordHeader, recordHeaderOctets, writePackedHeader } from '../record.ts'
import { segmentFile } from '../segment-name.ts'
import type { PackedSegment } from './packed-segment.ts'
import type { Work } from './work.ts'
import type { SegmentWeight } from './weigh.ts'

/** Rows of one transaction: two milliseconds. */
const rowsAtOnce = 500
/** Records shorter than this are not worth a try. */
const compressFrom = 128
/** What compressing must save at least. */
const savingMin = 0.1
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }
/** Octets between two pauses. */
const pauseOctets = 1_048_576

export interface OldSegment {
  readonly segment: number
  readonly weight: SegmentWeight
  /** Its bodies have been tried with zstd. */
  readonly packed: boolean
}

interface BlobRow {
  readonly blob: number
  readonly offset: number
  readonly octets: number
  readonly stored: number
  readonly codec: number
  readonly hash: Uint8Array
}

/** Where a body was put. */
interface Moved {
  readonly blob: number
  readonly from: number
  readonly to: number
  readonly stored: number
  readonly codec: number
}

/** Copies all records that rows point at. Nothing refers to the copies yet. @returns What is to be switched. */
export async function copyRecords(
  work: Work,
  old: OldSegment,
  target: () => PackedSegment,
): Promise<Moved[]> {
  const moved: Moved[] = []
  const fd = openSync(segmentFile(work.folder, old.segment), 'r')
  let last: Moved | null = null
  let sincePause = 0
  try {
    for (const row of await readRows(work, old)) {
      if (last === null || last.from !== row.offset) {
        const record = readRecord(fd, row)
        if (record === null) {
          work.report.damaged++
          work.warn('store: a body is damaged and stays where it is', {
            blob: row.blob,
            segment: old.segment,
          })
          continue
        }
        const packed = row.codec === 0 && !old.packed ? pack(record) : record
        const to = target().append(packed)
        const [stored, codec] = [packed.length - recordHeaderOctets, packed[4]!]
        last = { blob: row.blob, from: row.offset, to, stored, codec }
        sincePause += record.length
      }
      moved.push({ ...last, blob: row.blob })
      if (sincePause < pauseOctets) continue
      await work.pause(sincePause)
      sincePause = 0
    }
    await work.pause(sincePause)
  } finally {
    closeSync(fd)
  }
  return moved
}

/** Points rows at the copies, which are on the disk by now. */
export async function switchRows(
  work: Work,
  from: number,
  target: PackedSegment,
  moved: readonly Moved[],
): Promise<void> {
  for (let at = 0; at < moved.length; at += rowsAtOnce) {
    const some = moved.slice(at, at + rowsAtOnce)
    await work.ask('switchPlaces', {
      ...{ segment: target.segment, octets: target.octets, from },
      blobs: Float64Array.from(some, ({ blob }) => blob),
      oldOffsets: Uint32Array.from(some, (one) => one.from),
      newOffsets: Uint32Array.from(some, ({ to }) => to),
      stored: Uint32Array.from(some, ({ stored }) => stored),
      codecs: Uint8Array.from(some, ({ codec }) => codec),
    })
    await work.pause()
  }
}

/** Whether no row points at a segment any more. A sealed one gets no new rows, so once is for ever. */
export function isEmpty(work: Work, { segment, weight }: OldSegment): boolean {
  const row = work.sql.get(
    'SELECT 1 FROM blob WHERE blob BETWEEN ? AND ? AND segment = ? LIMIT 1',
    weight.firstBlob,
    weight.lastBlob,
    segment,
  )
  return row === undefined
}

/** In the order of their places; those that share one stand together. */
async function readRows(work: Work, { segment, weight }: OldSegment): Promise<BlobRow[]> {
  const found: BlobRow[] = []
  for (let after = weight.firstBlob - 1; after < weight.lastBlob; ) {
    const to = Math.min(after + 4 * rowsAtOnce, weight.lastBlob)
    const rows = work.sql.all<readonly [number, number, number, number, number, Uint8Array]>(
      `SELECT blob, offset, octets, stored, codec, hash FROM blob WHERE blob > ? AND blob <= ? AND segment = ?`,
      after,
      to,
      segment,
    )
    for (const [blob, offset, octets, stored, codec, hash] of rows)
      found.push({ blob, offset, octets, stored, codec, hash })
    after = to
    await work.pause()
  }
  return found.sort((a, b) => a.offset - b.offset || a.blob - b.blob)
}

/** @returns The record, header first; null when it is not what the row says. */
function readRecord(fd: number, row: BlobRow): Buffer | null {
  const record = Buffer.allocUnsafe(recordHeaderOctets + row.stored)
  for (let got = 0; got < record.length; ) {
    const more = readSync(fd, record, got, record.length - got, row.offset + got)
    if (more === 0) return null
    got += more
  }
  const header = readRecordHeader(record, 0)
  const sound =
    header !== null &&
    header.octets === row.octets &&
    header.stored === row.stored &&
    header.codec === row.codec &&
    header.hash.equals(row.hash) &&
    header.crc === crc32(record.subarray(recordHeaderOctets))
  return sound ? record : null
}

/** The record compressed, or as it is when that helps little. */
function pack(record: Buffer): Buffer {
  const body = record.subarray(recordHeaderOctets)
  if (body.length < compressFrom) return record
  const compressed = zstdCompressSync(body, compression)
  if (compressed.length > body.length * (1 - savingMin)) return record
  const packed = Buffer.allocUnsafe(recordHeaderOctets + compressed.length)
  packed.set(compressed, recordHeaderOctets)
  writePackedHeader(packed, body.length, record.subarray(24, recordHeaderOctets))
  return packed
}
