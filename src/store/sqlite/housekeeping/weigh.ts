/** Reads the rows of all bodies once, and says what of each segment is still needed. */
import type { Work } from './work.ts'
import { recordHeaderOctets } from '../record.ts'

const rowsAtOnce = 2_000
/** Octets of a body's row. */
const rowOctets = 60

export interface SegmentWeight {
  /** Octets of records that rows point at; two rows at the same place count once. */
  liveOctets: number
  /** Octets of the bodies in them. */
  bodyOctets: number
  /** Between these are the numbers of all its rows. */
  firstBlob: number
  lastBlob: number
}

export interface Weights {
  readonly segments: ReadonlyMap<number, SegmentWeight>
  readonly largeBodies: { readonly count: number; readonly octets: number }
}

/** Blob, segment, offset, octets, stored, file. */
type BlobRow = readonly [number, number | null, number | null, number, number, string | null]

export async function weigh(work: Pick<Work, 'sql' | 'pause' | 'tell'>): Promise<Weights> {
  const segments = new Map<number, SegmentWeight>()
  const largeBodies = { count: 0, octets: 0 }
  const lastBlob = Number(work.sql.get('SELECT max(blob) FROM blob')?.[0] ?? 0)
  let before: BlobRow | null = null
  for (let after = 0; ; ) {
    work.tell('weighing segments', after, lastBlob)
    const rows = work.sql.all<BlobRow>(
      `SELECT blob, segment, offset, octets, stored, file FROM blob WHERE blob > ? ORDER BY blob LIMIT ${rowsAtOnce}`,
      after,
    )
    for (const row of rows) {
      const [blob, segment, , octets, , file] = row
      // Rows that share a body were made one after another.
      const shared = before !== null && before[1] === segment && before[2] === row[2] && before[5] === file
      before = row
      if (segment !== null) add(segments, segment, row, shared)
      else if (!shared) {
        largeBodies.count++
        largeBodies.octets += octets
      }
      after = blob
    }
    if (rows.length < rowsAtOnce) return { segments, largeBodies }
    await work.pause(rowsAtOnce * rowOctets)
  }
}

function add(segments: Map<number, SegmentWeight>, segment: number, row: BlobRow, shared: boolean): void {
  const [blob, , , octets, stored] = row
  let weight = segments.get(segment)
  if (weight === undefined) {
    weight = { liveOctets: 0, bodyOctets: 0, firstBlob: blob, lastBlob: blob }
    segments.set(segment, weight)
  }
  weight.lastBlob = blob
  if (shared) return
  weight.liveOctets += recordHeaderOctets + stored
  weight.bodyOctets += octets
}
