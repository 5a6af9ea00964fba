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
 *     40  the calls as JSON, in UTF-8; in versions 1 and 2 as V8 serializes them
 */
import { deserialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import type { Place } from './accept.ts'
import type { NumbersGiven } from './numbers.ts'
import type { OperationName } from './operations.ts'
import { recordHeaderOctets } from './record.ts'

const magic = 0x50535442
/** To be raised when a call of `redoable` changes its shape; the former shape must still be read. */
const version = 3
const newestOfV8 = 2

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
  // V8's own form takes four times as long to make.
  const text = JSON.stringify(calls.map(plain))
  const octets = Buffer.byteLength(text)
  const record = Buffer.allocUnsafe(recordHeaderOctets + octets)
  record.fill(0, 0, recordHeaderOctets)
  record.writeUInt32BE(magic, 0)
  record[4] = version
  record.writeUInt32BE(octets, 12)
  record.writeUInt32BE(unrecorded, 20)
  record.writeUIntBE(after.segment, 26, 6)
  record.writeUIntBE(after.offset, 34, 6)
  record.write(text, recordHeaderOctets)
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
  const payload = record.subarray(recordHeaderOctets)
  const calls = record[4]! > newestOfV8 ? parseCalls(payload) : readCalls(payload)
  return { after: { segment, offset }, unrecorded, calls }
}

const unreadable =
  'Cannot open the store: a newer Posthorn did not end in order; start that one once, then this one'

type Hash = string | Uint8Array

/** JSON has neither octets nor typed arrays. */
function plain({ name, call, nowMs, numbers, place }: DoneCall) {
  const placed = place === null ? null : { ...place, hash: encoded(place.hash) }
  return { name, call: plainCall(call), nowMs, numbers, place: placed }
}

function plainCall(call: unknown): unknown {
  const { uids, body } = call as { uids?: ArrayLike<number>; body?: { hash?: Hash } }
  if (ArrayBuffer.isView(uids)) return { ...(call as object), uids: Array.from(uids as Uint32Array) }
  if (body?.hash !== undefined) return { ...(call as object), body: { ...body, hash: encoded(body.hash) } }
  return call
}

function encoded(hash: Hash): string {
  return Buffer.from(hash as Uint8Array).toString('base64')
}

function parseCalls(payload: Buffer): DoneCall[] {
  const calls = JSON.parse(payload.toString()) as DoneCall[]
  for (const { call, place } of calls) {
    restoreHash(place)
    restoreHash((call as { body?: object }).body)
  }
  return calls
}

function restoreHash(item: { hash?: Hash } | null | undefined): void {
  if (typeof item?.hash === 'string') item.hash = Buffer.from(item.hash, 'base64')
}

function readCalls(payload: Buffer): DoneCall[] {
  try {
    return deserialize(payload) as DoneCall[]
  } catch (error) {
    // Its check sum was right, so it is whole: V8 reads what older ones wrote, not newer ones.
    throw new Error(unreadable, { cause: error })
  }
}
