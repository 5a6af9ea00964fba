import type { Transaction } from '../transaction.ts'

/** Bodies that have been written anew; each column has one number for each blob. */
export interface SwitchCall {
  /** The new segment, on the disk whole and synced, and how long it is. */
  readonly segment: number
  readonly octets: number
  readonly from: number
  readonly blobs: Float64Array
  readonly oldOffsets: Uint32Array
  readonly newOffsets: Uint32Array
  readonly stored: Uint32Array
  readonly codecs: Uint8Array
}

/** Points rows at the new places, where they still point at the old ones. */
export function switchPlaces(tx: Transaction, call: SwitchCall): void {
  tx.run(
    'INSERT OR IGNORE INTO segment (segment, octets, sealed, packed) VALUES (?, ?, 1, 1)',
    call.segment,
    call.octets,
  )
  for (let i = 0; i < call.blobs.length; i++) {
    tx.run(
      'UPDATE blob SET segment = ?, offset = ?, stored = ?, codec = ? WHERE blob = ? AND segment = ? AND offset = ?',
      ...[call.segment, call.newOffsets[i]!, call.stored[i]!, call.codecs[i]!],
      ...[call.blobs[i]!, call.from, call.oldOffsets[i]!],
    )
  }
}
