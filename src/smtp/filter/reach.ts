/** How a filter's program is reached: over TCP or a UNIX socket, by address or by a name that our resolver knows. */
import { connect, isIP, type Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { FilterPlace as Place } from '../../base/filter-config.ts'
import type { Dialler } from '../../base/dialler.ts'
import type { Log } from '../../base/log.ts'

/** @throws {Error} Nobody answers there, or the name has no address. */
export type Reach = (place: Place, timeoutMs: number) => Promise<Socket>

/** Addresses of a host name; empty when it has none. The daemon asks the resolver. */
export type LookUp = (host: string) => Promise<readonly string[]>

/** What every filter is handed. */
export interface FilterSurroundings {
  readonly reach: Reach
  readonly clock: Clock
  readonly log: Log
  /** PEM of authorities that count besides the well-known ones. */
  readonly authorities: readonly string[]
  /** Name of a client by its address, confirmed in both directions; null when it has none. */
  clientName(address: string): Promise<string | null>
}

/** Addresses of one name that are tried. */
const addressesTried = 4

export function createReach(dialler: Dialler, lookUp: LookUp, clock: Clock): Reach {
  return async (place, timeoutMs) => {
    if (place.kind === 'unix') return reachUnix(place.path, timeoutMs, clock)
    const { host, port } = place
    const addresses = isIP(host) === 0 ? await lookUp(host) : [host]
    let last: unknown = new Error(`${host} has no address`)
    for (const address of addresses.slice(0, addressesTried)) {
      try {
        return await dialler({ hostname: host, address, port }, timeoutMs)
      } catch (error) {
        last = error
      }
    }
    throw last
  }
}

function reachUnix(path: string, timeoutMs: number, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    const fail = (error: Error): void => {
      cancel()
      socket.destroy()
      reject(error)
    }
    const cancel = clock.after(timeoutMs, () => fail(new Error(`No answer from ${path} in ${timeoutMs} ms`)))
    socket.once('error', fail)
    // Stays: an error between here and the first reader would end the process.
    socket.on('error', () => {})
    socket.once('connect', () => {
      cancel()
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

export function placeName(place: Place): string {
  return place.kind === 'unix' ? `unix:${place.path}` : `inet:${place.port}@${place.host}`
}
