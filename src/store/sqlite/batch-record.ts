/**
 * What one batch did to the tables, written behind its bodies and synced with them: so a commit needs no sync of its own.
 * When power goes, the tables may come back as they were some batches ago; these calls, done again in their order, bring
 * them up to date (redo.ts). Numbers are big-endian; octets 8 to 15 are as in a body's record, so that both are walked alike.
 *
 *      0  "PSTB"
 *      4  version, then three zeros
 *      8  four zeros
 *     12  octets of the payload
 *     16  CRC-32 of all that follows; in version 1 of all from 24 on
 *     20  how many batches without a record came before it; in version 1 four zeros
 *     24  segment and, 8 octets later, offset up to which the tables had everything before this batch
 *     40  the calls, as V8 serializes them
 */
import { deserialize, serialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import type { Place } from './accept.ts'
import type { NumbersGiven } from './numbers.ts'
import type { OperationName } from './operations.ts'
import { recordHeaderOctets } from './record.ts'

const magic = 0x50535442
/** To be raised when a call of `redoable` changes its shape; the former shape must still be read. */
const version = 2

/**
 * Calls that do the same to the same tables whenever they are done: they ask no clock, no random numbers and no
 * configuration. A batch of others is synced by its commit, as is one that has such a call among these.
 */
const redoable: ReadonlySet<'accept' | OperationName> = new Set([
  'accept',
  'copy',
  'expunge',
  'lease',
  'move',
  'nothing',
  'renewLease',
  'settle',
  'storeFlags',
] as const)

/** A position in the segments: all before it is in the tables. */
export interface SegmentEnd {
  readonly segment: number
  readonly offset: number
}

/** A call that was done, with what it was done with. */
export interface DoneCall {
  readonly name: 'accept' | OperationName
  readonly call: unknown
  readonly nowMs: number
  /** The shard's numbers before it. */
  readonly numbers: NumbersGiven
  readonly place: Place | null
}

export interface BatchRecord {
  readonly after: SegmentEnd
  /** Batches that were synced by their commit instead, since the store was made: tables that lack one cannot be made up for. */
  readonly unrecorded: number
  readonly calls: readonly DoneCall[]
}

export function isRedoable(name: 'accept' | OperationName): boolean {
  return redoable.has(name)
}

export function packBatch({ after, unrecorded, calls }: BatchRecord): Buffer {
  const payload = serialize(calls)
  const record = Buffer.alloc(recordHeaderOctets + payload.length)
  record.writeUInt32BE(magic, 0)
  record[4] = version
  record.writeUInt32BE(payload.length, 12)
  record.writeUInt32BE(unrecorded, 20)
  record.writeBigUInt64BE(BigInt(after.segment), 24)
  record.writeBigUInt64BE(BigInt(after.offset), 32)
  record.set(payload, recordHeaderOctets)
  record.writeUInt32BE(crc32(record.subarray(20)), 16)
  return record
}

export function isBatchRecord(header: Buffer): boolean {
  return header.length >= recordHeaderOctets && header.readUInt32BE(0) === magic
}

/**
 * @param record The whole of it.
 * @returns Null when it is damaged, or was not written to its end.
 * @throws {Error} It is whole, and a newer Posthorn or Node wrote it.
 */
export function unpackBatch(record: Buffer): BatchRecord | null {
  if (record.readUInt32BE(16) !== crc32(record.subarray(record[4] === 1 ? 24 : 20))) return null
  if (record[4]! > version) throw new Error(unreadable)
  const unrecorded = record.readUInt32BE(20)
  const [segment, offset] = [Number(record.readBigUInt64BE(24)), Number(record.readBigUInt64BE(32))]
  return { after: { segment, offset }, unrecorded, calls: readCalls(record.subarray(recordHeaderOctets)) }
}

const unreadable =
  'Cannot open the store: a newer Posthorn did not end in order; start that one once, then this one'

function readCalls(payload: Buffer): DoneCall[] {
  try {
    return deserialize(payload) as DoneCall[]
  } catch (error) {
    // Its check sum was right, so it is whole: V8 reads what older ones wrote, not newer ones.
    throw new Error(unreadable, { cause: error })
  }
}
