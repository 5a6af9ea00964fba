/**
 * One pass: each step leaves the store whole, so a pass that is interrupted anywhere is made up for by the next.
 */
import type { CleanReport } from '../../housekeeping.ts'
import { compact } from './compact.ts'
import { markIsDue, removeOrphanRows } from './mark.ts'
import { clearOldMail } from './old-mail.ts'
import { removeOrphanFiles } from './orphan-files.ts'
import { graceMs } from './window.ts'
import type { Work } from './work.ts'

export async function clean(work: Work, thorough: boolean): Promise<CleanReport> {
  await clearOldMail(work)
  work.tell('expunged messages whose time is over')
  const before = work.nowMs - graceMs
  const windowBefore = work.nowMs - Math.max(work.limits.undeleteMs, graceMs)
  while (await work.ask('sweep', { before, windowBefore })) await work.pause()
  if (thorough || markIsDue(work)) await removeOrphanRows(work)
  await compact(work)
  work.tell('files')
  await removeOrphanFiles(work)
  return work.report
}
