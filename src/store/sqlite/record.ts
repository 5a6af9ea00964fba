/**
 * One record of a segment file: 40 octets, then the stored body. Numbers are big-endian. It says enough to find every
 * body again without the tables.
 *
 *      0  "PSTR"
 *      4  codec: 0 raw, 1 zstd; then three zeros
 *      8  octets of the body
 *     12  octets stored
 *     16  CRC-32 of the stored octets
 *     20  four zeros
 *     24  first 16 octets of the SHA-256 of the body
 */
import { crc32 } from 'node:zlib'

export const recordHeaderOctets = 40
/** The codec of a body that was compressed with zstd. */
export const zstdCodec = 1
const magic = 0x50535452

export interface RecordHeader {
  readonly codec: number
  readonly octets: number
  readonly stored: number
  readonly crc: number
  /** First 16 octets of the body's SHA-256. */
  readonly hash: Buffer
}

/** Writes the header of a raw body that lies right after it in `buffer`. */
export function writeRecordHeader(buffer: Buffer, at: number, octets: number, hash: Uint8Array): void {
  const body = buffer.subarray(at + recordHeaderOctets, at + recordHeaderOctets + octets)
  buffer.writeUInt32BE(magic, at)
  buffer.writeUInt32BE(0, at + 4)
  buffer.writeUInt32BE(octets, at + 8)
  buffer.writeUInt32BE(octets, at + 12)
  buffer.writeUInt32BE(crc32(body), at + 16)
  buffer.writeUInt32BE(0, at + 20)
  buffer.set(hash.subarray(0, 16), at + 24)
}

/** Writes the header of a compressed body that lies after it. @param octets Of the body before. @param hash 16 octets. */
export function writePackedHeader(record: Buffer, octets: number, hash: Uint8Array): void {
  const stored = record.subarray(recordHeaderOctets)
  record.fill(0, 0, recordHeaderOctets)
  record.writeUInt32BE(magic, 0)
  record[4] = zstdCodec
  record.writeUInt32BE(octets, 8)
  record.writeUInt32BE(stored.length, 12)
  record.writeUInt32BE(crc32(stored), 16)
  record.set(hash, 24)
}

/** @returns Null when these octets are no record's. */
export function readRecordHeader(buffer: Buffer, at: number): RecordHeader | null {
  if (buffer.length < at + recordHeaderOctets || buffer.readUInt32BE(at) !== magic) return null
  return {
    codec: buffer[at + 4]!,
    octets: buffer.readUInt32BE(at + 8),
    stored: buffer.readUInt32BE(at + 12),
    crc: buffer.readUInt32BE(at + 16),
    hash: buffer.subarray(at + 24, at + 40),
  }
}
