import type { Clock } from '../../../base/clock.ts'
import type { BackupReport, BackupRequest, FileHolder, WorkProgress } from '../../backup.ts'
import type { BackupData } from './make-backup.ts'
import { runThread } from './run-thread.ts'

/**
 * Makes a backup of a store that is open, on a thread of its own.
 *
 * @param folder The store's data folder.
 * @throws {BackupUnusable} @throws {StoreInUse} Another backup is written into the same folder. @throws {Error}
 */
export async function backUp(
  store: FileHolder,
  folder: string,
  clock: Clock,
  request: BackupRequest,
  progress: (progress: WorkProgress) => void,
  signal?: AbortSignal,
): Promise<BackupReport> {
  const letGo = await store.holdFiles()
  try {
    const data: BackupData = { data: folder, request, nowMs: clock.now() }
    return await runThread('backup-thread', import.meta.url, data, progress, signal)
  } finally {
    letGo()
  }
}
