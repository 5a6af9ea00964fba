import { join } from 'node:path'
import type { FileHolder, VerifyReport, WorkProgress } from '../../backup.ts'
import { shardFolder } from '../backup/layout.ts'
import { runThread } from '../backup/run-thread.ts'
import type { VerifyData } from './verify.ts'

/**
 * Verifies a data folder, on a thread of its own.
 *
 * @param holder The store that is open on it; null when the caller sees to it that nobody writes.
 * @throws {BackupUnusable}
 */
export async function verifyStore(
  holder: FileHolder | null,
  data: string,
  quick: boolean,
  progress: (progress: WorkProgress) => void,
  signal?: AbortSignal,
): Promise<VerifyReport> {
  const letGo = (await holder?.holdFiles()) ?? (() => {})
  try {
    const asked: VerifyData = { target: { kind: 'store', folder: join(data, shardFolder) }, quick }
    return await runThread('verify-thread', import.meta.url, asked, progress, signal)
  } finally {
    letGo()
  }
}

/** Verifies a backup. @param at Which, as the person wrote it; null: the newest. @throws {BackupUnusable} */
export function verifyBackup(
  folder: string,
  at: string | null,
  quick: boolean,
  progress: (progress: WorkProgress) => void,
  signal?: AbortSignal,
): Promise<VerifyReport> {
  const asked: VerifyData = { target: { kind: 'backup', folder, at }, quick }
  return runThread('verify-thread', import.meta.url, asked, progress, signal)
}
