import { accessSync, constants, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError, StoreUnopenable } from '../errors.ts'
import { isDamage, isDiskFull } from './disk-failure.ts'

/** One region of SQLite's shared memory. */
const leastRoom = 32_768

type Reason = readonly [what: string, remedy: string]

/**
 * Says of a store that cannot be opened what an operator can do about it. Faults of ours stay as they are.
 *
 * @param folder The data folder.
 */
export function explainFailure(error: unknown, folder: string): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if (error instanceof StoreError) return error
  const reason = reasonOf(error, folder)
  if (reason === null) return error
  const [what, remedy] = reason
  const said = what.includes(error.message) ? '' : ` (${error.message})`
  const text = `Cannot open the store in ${folder}: ${what}${said}`
  return new StoreUnopenable(text, remedy, { cause: error })
}

function reasonOf(error: Error, folder: string): Reason | null {
  const sqlite = 'errcode' in error ? Number(error.errcode) & 0xff : 0
  // SQLITE_IOERR is also what its shared memory meets on a disk that is full, and any write under a quota.
  if (isDiskFull(error) || (sqlite === 10 && hasNoRoom(folder)))
    return [
      'its disk is full',
      'Make room there and start again. Nothing is lost: what a power cut took from the tables is done again then.',
    ]
  if (isDamage(error))
    return [
      'its tables are damaged',
      'Keep a copy of the folder, then put a backup into a new one: posthorn restore BACKUP --into FOLDER',
    ]
  // SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN: they do not say why.
  const system = [3, 8, 14].includes(sqlite) ? whatIsRefused(folder) : error
  const known =
    system !== null && 'code' in system ? reasonOfSystem(String(system.code), system, folder) : null
  return known ?? (sqlite === 10 ? failing : null)
}

const failing: Reason = ['its disk fails', 'dmesg says more. If it lasts, restore a backup on another disk.']

function reasonOfSystem(code: string, { message }: Error, folder: string): Reason | null {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return [
        `user ${process.getuid?.() ?? ''} lacks a right, ${message}`,
        `Run this as the user whose folder it is (ls -ln ${folder}), or give it to this one: chown -R USER ${folder}`,
      ]
    case 'EROFS':
      return [
        'its disk can only be read',
        'After an error the system may have made it so: look at dmesg and mount.',
      ]
    case 'EMFILE':
    case 'ENFILE':
      return ['too many files are open', 'Raise the bound: LimitNOFILE= in the unit, or ulimit -n']
    case 'EIO':
      return failing
    default:
      return null
  }
}

function hasNoRoom(folder: string): boolean {
  try {
    const { blocks, bavail, bsize } = statfsSync(folder)
    return blocks > 0 && bavail * bsize < leastRoom
  } catch {
    return false
  }
}

function whatIsRefused(folder: string): Error | null {
  const shard = join(folder, 'shard-00')
  const files = ['meta.db', 'meta.db-wal', 'meta.db-shm'].map((name) => join(shard, name))
  for (const path of [folder, join(folder, 'owner.db'), join(folder, 'owner.db-journal'), shard, ...files]) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error as Error
    }
  }
  return null
}
