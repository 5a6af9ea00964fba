/** The thread of a backup. */
import { workerData } from 'node:worker_threads'
import { type BackupData, makeBackup } from './make-backup.ts'
import { inThread } from './run-thread.ts'

inThread((progress) => makeBackup(workerData as BackupData, progress))
