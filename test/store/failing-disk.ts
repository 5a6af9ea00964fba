/** A disk of which a test can make any call fail. It runs in the store's threads and is told what to do in shared memory. */
import { DatabaseSync } from 'node:sqlite'
import type { Disk } from '../../src/store/sqlite/disk.ts'
import { systemDisk } from '../../src/store/sqlite/disk.ts'
import { recordHeaderOctets } from '../../src/store/sqlite/record.ts'

const calls = ['create', 'write', 'sync', 'syncFolder', 'rename', 'commit'] as const
export type DiskCall = (typeof calls)[number]

/** [which call, how many succeed before, how many fail then, how many failed, 1: half is written before, 2: the thread ends,
 *  1: nothing can be cut off a file, 2: no record can be struck out] */
export type Orders = Int32Array<SharedArrayBuffer>

export function makeOrders(): Orders {
  return new Int32Array(new SharedArrayBuffer(24))
}

export function failNext(
  orders: Orders,
  call: DiskCall,
  options: {
    after?: number
    times?: number
    half?: boolean
    end?: boolean
    stuck?: boolean
    unstruck?: boolean
  } = {},
): void {
  orders.set([
    calls.indexOf(call) + 1,
    options.after ?? 0,
    options.times ?? 1,
    0,
    options.half === true ? 1 : options.end === true ? 2 : 0,
    options.stuck === true ? 1 : options.unstruck === true ? 2 : 0,
  ])
}

export function makeDisk(orders: Orders): Disk {
  const fails = (call: DiskCall): boolean => {
    if (orders[0] !== calls.indexOf(call) + 1) return false
    if (orders[1]! > 0) {
      orders[1]!--
      return false
    }
    if (orders[2] === 0) return false
    orders[2]!--
    orders[3]!++
    return true
  }
  const error = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  const guard = <Name extends Exclude<DiskCall, 'write' | 'commit'>>(name: Name): Disk[Name] =>
    ((...args: never[]) => {
      if (fails(name)) throw error()
      return (systemDisk[name] as (...args: never[]) => unknown)(...args)
    }) as Disk[Name]
  const exec = DatabaseSync.prototype.exec
  DatabaseSync.prototype.exec = function (this: DatabaseSync, text: string): void {
    if (text === 'COMMIT' && fails('commit'))
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
    exec.call(this, text)
  }
  return {
    ...systemDisk,
    ...{
      create: guard('create'),
      sync: guard('sync'),
      syncFolder: guard('syncFolder'),
      rename: guard('rename'),
    },
    truncate(fd, octets) {
      if (orders[5] === 1) throw error()
      systemDisk.truncate(fd, octets)
    },
    write(fd, chunks, at) {
      const octets = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      if (orders[5] === 2 && octets === recordHeaderOctets) throw error()
      if (!fails('write')) return systemDisk.write(fd, chunks, at)
      // In a worker this ends the thread only, as running out of memory does.
      if (orders[4] === 2) process.exit(1)
      if (orders[4] === 1) {
        const all = Buffer.concat(chunks)
        systemDisk.write(fd, [all.subarray(0, all.length >> 1)], at)
      }
      throw error()
    },
  }
}
