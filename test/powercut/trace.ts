/** The log that shim.c writes, as values. */

/** In shim.c's order. */
const kinds = [
  ...(['', 'open', 'close', 'write', 'truncate', 'syncBegin'] as const),
  ...(['syncEnd', 'rename', 'unlink', 'mkdir', 'rmdir', 'mark'] as const),
]
const headerOctets = 24

export interface TraceRecord {
  readonly kind: (typeof kinds)[number]
  readonly fd: number
  /** Of a write; the new length at a truncation. */
  readonly offset: number
  /** Flags of an open, number of a sync. */
  readonly extra: number
  readonly data: Buffer
}

/** Records until the log ends; the last one may be cut, as the process may have been killed. */
export function readTrace(log: Buffer): TraceRecord[] {
  const records: TraceRecord[] = []
  for (let at = 0; at + headerOctets <= log.length; ) {
    const length = log.readUInt32LE(at + 20)
    const data = log.subarray(at + headerOctets, at + headerOctets + length)
    if (data.length < length) break
    records.push({
      kind: kinds[log.readInt32LE(at)]!,
      fd: log.readInt32LE(at + 4),
      offset: Number(log.readBigInt64LE(at + 8)),
      extra: log.readUInt32LE(at + 16),
      data,
    })
    at += headerOctets + length
  }
  return records
}
