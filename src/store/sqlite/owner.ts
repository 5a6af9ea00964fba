import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { StoreInUse } from '../errors.ts'

/** A process that is just ending may hold it still. */
const patienceMs = 300

/**
 * Takes the data folder for this process. The lock is SQLite's own on a file nobody else uses, held by a transaction that
 * never ends: the system frees it however the process dies.
 *
 * @returns Gives the folder back.
 * @throws {StoreInUse} Another process, or another store in this one, has it.
 */
export function takeFolder(folder: string): () => void {
  const db = new DatabaseSync(join(folder, 'owner.db'), { timeout: patienceMs })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (/locked|busy/i.test(String(error))) throw new StoreInUse(`${folder} is in use by another process`)
    throw error
  }
  return () => db.close()
}
