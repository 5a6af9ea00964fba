/** The system's disk, of which a test says how much room is left, and hears how often it was asked. */
import type { Disk } from '../../src/store/sqlite/disk.ts'
import { systemDisk } from '../../src/store/sqlite/disk.ts'

/** [free octets, questions] */
export type Room = Float64Array<SharedArrayBuffer>

export function makeRoom(freeOctets: number): Room {
  const room = new Float64Array(new SharedArrayBuffer(16))
  room[0] = freeOctets
  return room
}

export function makeDisk(room: Room): Disk {
  return {
    ...systemDisk,
    freeOctets() {
      room[1]!++
      return room[0]!
    },
  }
}
