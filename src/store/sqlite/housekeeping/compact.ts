/** Removes segments in which nothing is needed, and rewrites those that are half empty or were never compressed. */
import { setTimeout as wait } from 'node:timers/promises'
import { segmentOctets } from '../segments.ts'
import { PackedSegment } from './packed-segment.ts'
import { copyRecords, isEmpty, switchRows } from './rewrite.ts'
import type { OldSegment } from './rewrite.ts'
import { weigh } from './weigh.ts'
import type { Work } from './work.ts'

/** A segment of which less than this part is needed is rewritten. */
const liveMin = 0.5
/** A new segment that is as long as this gets nothing more. */
const fullOctets = segmentOctets * 0.75

export async function compact(work: Work): Promise<void> {
  // Read before the rows, and with nothing half-way in the writer: a body is written some moments before its row, and a
  // segment that is sealed by then gets no row that is not seen here.
  const sealed = sealedSegments(work)
  await work.ask('nothing', null)
  const weights = await weigh(work)
  const empty: number[] = []
  const old: OldSegment[] = []
  for (const { segment, octets, packed } of sealed) {
    const weight = weights.segments.get(segment)
    if (weight === undefined) empty.push(segment)
    else if (!packed || weight.liveOctets < octets * liveMin) old.push({ segment, weight, packed })
  }
  await drop(work, empty)
  const total = old.reduce((sum, { weight }) => sum + weight.liveOctets, 0)
  /** Empty by now, and since when. */
  const emptied: { segment: number; at: number }[] = []
  let done = 0
  while (old.length > 0) {
    const group = await rewriteSome(work, old, (octets) =>
      work.tell('rewriting segments', done + octets, total),
    )
    for (const segment of group) {
      done += segment.weight.liveOctets
      if (isEmpty(work, segment)) emptied.push({ segment: segment.segment, at: performance.now() })
    }
    // Not all of them at the end: a disk that is nearly full has room for some only.
    const left = emptied.filter(({ at }) => performance.now() - at >= work.leaveMs)
    await drop(work, takeOff(emptied, left.length))
  }
  if (emptied.length === 0) return
  await wait(work.leaveMs)
  await drop(work, takeOff(emptied, emptied.length))
}

function takeOff(emptied: { segment: number }[], count: number): number[] {
  return emptied.splice(0, count).map(({ segment }) => segment)
}

function sealedSegments(work: Work): { segment: number; octets: number; packed: boolean }[] {
  return work.sql
    .all<readonly [number, number, number]>(
      'SELECT segment, octets, packed FROM segment WHERE sealed = 1 ORDER BY segment',
    )
    .map(([segment, octets, packed]) => ({ segment, octets, packed: packed === 1 }))
}

/** Rewrites as many of the first ones as one new segment takes. @returns Those, which are taken off the list. */
async function rewriteSome(
  work: Work,
  old: OldSegment[],
  tell: (octets: number) => void,
): Promise<OldSegment[]> {
  let target: PackedSegment | null = null
  const number = Number(work.sql.get("SELECT value FROM counter WHERE name = 'packed'")?.[0] ?? 0) + 1
  await work.ask('noteNumber', { name: 'packed', value: number })
  // Below zero, so that they never meet those of the writer.
  const makeTarget = () => (target ??= new PackedSegment(work.disk, work.folder, -number))
  const group: { old: OldSegment; moved: Awaited<ReturnType<typeof copyRecords>> }[] = []
  let octets = 0
  try {
    for (let next = old.shift(); next !== undefined; next = old.shift()) {
      group.push({ old: next, moved: await copyRecords(work, next, makeTarget) })
      octets += next.weight.liveOctets
      tell(octets)
      if (target !== null && (target as PackedSegment).octets >= fullOctets) break
    }
    ;(target as PackedSegment | null)?.finish()
  } catch (error) {
    ;(target as PackedSegment | null)?.discard()
    throw error
  }
  const written = target as PackedSegment | null
  if (written !== null) {
    for (const one of group) await switchRows(work, one.old.segment, written, one.moved)
    work.report.octetsWritten += written.octets
  }
  work.report.octetsRead += octets
  work.report.segmentsRewritten += group.length
  return group.map((one) => one.old)
}

async function drop(work: Work, segments: readonly number[]): Promise<void> {
  if (segments.length === 0) return
  work.report.segmentsRemoved += await work.ask('dropSegments', { segments })
}
