/** Files that a crash left: large bodies and segments that no row names. Younger ones may be about to get a row. */
import { join } from 'node:path'
import { ageOfOrphansMs, removeOrphans } from '../orphans.ts'
import type { Work } from './work.ts'

export async function removeOrphanFiles(work: Work): Promise<void> {
  const { sql, disk, folder, nowMs } = work
  for (const removed of removeOrphans(sql, disk, folder, nowMs)) {
    work.report.orphanFiles += removed
    await work.pause()
  }
  const seg = join(folder, 'seg')
  for (const name of disk.list(seg)) {
    const segment = segmentOf(name)
    if (segment === null) continue
    // The writer may have begun one, and nothing come about since.
    if (segment > Number(sql.get('SELECT max(segment) FROM segment')?.[0] ?? 0)) continue
    // Asked anew for each: a list that was read before could be older than the file.
    if (sql.get('SELECT 1 FROM segment WHERE segment = ?', segment) !== undefined) continue
    try {
      if (nowMs - disk.modifiedAt(join(seg, name)) <= ageOfOrphansMs) continue
      disk.remove(join(seg, name))
      work.report.orphanFiles++
    } catch {
      // Gone meanwhile, or not ours to remove.
    }
  }
}

/** The number in a segment's name, `segmentName` the other way round. */
function segmentOf(name: string): number | null {
  const found = /^([01])-(\d{1,15})\.seg$/.exec(name)
  return found === null ? null : found[1] === '0' ? Number(found[2]) : -Number(found[2])
}
