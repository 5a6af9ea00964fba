/** Where segments lie: for those who only read them, too. */
import { join } from 'node:path'

/** Below the shard's folder. */
export function segmentName(segment: number): string {
  // Each has one that writes it: above zero the writer, below zero the housekeeping.
  return segment > 0 ? `seg/0-${segment}.seg` : `seg/1-${-segment}.seg`
}

export function segmentFile(folder: string, segment: number): string {
  return join(folder, segmentName(segment))
}
