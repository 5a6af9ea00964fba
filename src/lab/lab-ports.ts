import { createServer } from 'node:net'
import { type DoorName, doorNames } from '../base/config.ts'

/** 0 takes a free one. */
export interface LabPorts {
  readonly dns: number
  /** In the order of `labDomains`. */
  readonly servers: readonly [ServerPorts, ServerPorts]
}
type LabDoor = Exclude<DoorName, 'lmtp'>
export type ServerPorts = { readonly [door in LabDoor]: number }

/** All that a letter goes through: LMTP is for those who have another server before this one. */
export const labDoors = doorNames.filter((door) => door !== 'lmtp')

/** Recognisable, and open to everybody: crepes.fr has these, hamburger.edu the ones after them. */
const usualPorts: ServerPorts = {
  smtp: 2525,
  submission: 2587,
  submissions: 2465,
  pop3: 2110,
  pop3s: 2995,
  imap: 2143,
  imaps: 2993,
}
const usualDnsPort = 5300

/** Ports that `--ports BASE` takes. */
export const labPortCount = 1 + 2 * labDoors.length

/**
 * The ports the Lab would like.
 *
 * @param base One after the other from here on: the name server, then crepes.fr's doors, then hamburger.edu's. 0: any.
 *   Null: the usual ones.
 */
export function labPorts(base: number | null): LabPorts {
  const portsOf = (port: (door: LabDoor, index: number) => number): ServerPorts =>
    Object.fromEntries(labDoors.map((door, index) => [door, port(door, index)])) as ServerPorts
  if (base === null) {
    return { dns: usualDnsPort, servers: [usualPorts, portsOf((door) => usualPorts[door] + 1)] }
  }
  if (base === 0) return { dns: 0, servers: [portsOf(() => 0), portsOf(() => 0)] }
  return {
    dns: base,
    servers: [
      portsOf((_, index) => base + 1 + index),
      portsOf((_, index) => base + 1 + labDoors.length + index),
    ],
  }
}

export interface FreePorts {
  readonly ports: LabPorts
  /** Ports that somebody else has, so that a free one is taken instead. */
  readonly taken: number[]
}

/** Replaces ports that are in use by 0. Somebody may still take one before we do. */
export async function freePorts(wanted: LabPorts): Promise<FreePorts> {
  const taken: number[] = []
  const check = async (port: number): Promise<number> => {
    if (port === 0 || (await isFree(port))) return port
    taken.push(port)
    return 0
  }
  const checkAll = async (ports: ServerPorts): Promise<ServerPorts> => {
    const entries = labDoors.map(async (door) => [door, await check(ports[door])] as const)
    return Object.fromEntries(await Promise.all(entries)) as ServerPorts
  }
  const [first, second] = await Promise.all(wanted.servers.map(checkAll))
  const dns = await check(wanted.dns)
  return { ports: { dns, servers: [first!, second!] }, taken: taken.sort((a, b) => a - b) }
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen({ host: '127.0.0.1', port }, () => probe.close(() => resolve(true)))
  })
}
