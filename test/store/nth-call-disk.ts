/** A disk whose nth call of the housekeeping's thread fails, or ends that thread. `orders`: [n, 0: fails, 1: ends]. */
import { isMainThread, workerData } from 'node:worker_threads'
import type { Disk } from '../../src/store/sqlite/disk.ts'
import { systemDisk } from '../../src/store/sqlite/disk.ts'

export function makeDisk(orders: Int32Array<SharedArrayBuffer>): Disk {
  const ofHousekeeping = !isMainThread && 'job' in (workerData as object)
  const count = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      if (!ofHousekeeping || orders[0] === 0) return call(...args)
      if (--orders[0]! > 0) return call(...args)
      // In a worker this ends the thread only, as running out of memory does.
      if (orders[1] === 1) process.exit(1)
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    }
  }
  return {
    ...systemDisk,
    create: count(systemDisk.create),
    write: count(systemDisk.write),
    sync: count(systemDisk.sync),
    syncFolder: count(systemDisk.syncFolder),
    remove: count(systemDisk.remove),
    close: count(systemDisk.close),
    list: count(systemDisk.list),
  }
}
