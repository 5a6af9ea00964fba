/** Binds every port of a configuration, or takes those that systemd bound for us: the part that may need root. */
import type { Config, DoorName } from '../base/config.ts'
import { doorNames } from '../base/config.ts'
import { adoptPort, bindPorts, type BoundPort } from '../base/bound-port.ts'
import { explainListenFailure, StartError } from './start-error.ts'

export type TakenPorts = ReadonlyMap<DoorName, readonly BoundPort[]>

/** sd_listen_fds(3): descriptors begin here. */
const firstDescriptor = 3

/** @throws {StartError} Nothing stays bound. */
export async function takePorts(config: Config, environment = process.env): Promise<TakenPorts> {
  const taken = new Map<DoorName, readonly BoundPort[]>()
  try {
    for (const [door, ports] of await adoptPorts(config, environment)) taken.set(door, ports)
    for (const door of doorNames) {
      const endpoints = config.listen[door]
      if (endpoints === undefined || taken.has(door)) continue
      const explain = (error: unknown): never => {
        throw explainListenFailure(door, endpoints, error)
      }
      taken.set(door, await bindPorts(endpoints).catch(explain))
    }
  } catch (error) {
    releasePorts(taken)
    throw error
  }
  return taken
}

export function releasePorts(taken: TakenPorts): void {
  for (const ports of taken.values()) for (const port of ports) port.close()
}

/** A door is meant by the socket's name (`FileDescriptorName=imaps`), else by a port that `listen` has. */
async function adoptPorts(
  config: Config,
  environment: NodeJS.ProcessEnv,
): Promise<Map<DoorName, BoundPort[]>> {
  const found = new Map<DoorName, BoundPort[]>()
  const names = environment['LISTEN_FDNAMES']?.split(':') ?? []
  for (let index = 0; index < descriptorCount(environment); index++) {
    const descriptor = firstDescriptor + index
    const port = await adoptPort(descriptor).catch((error: unknown) => {
      const remedy = 'Posthorn takes listening TCP sockets: ListenStream= in the .socket unit.'
      throw new StartError(`systemd's ${(error as Error).message}`, remedy, { cause: error })
    })
    const door = doorOf(config, names[index] ?? '', port)
    if (door === null) {
      port.close()
      throw new StartError(
        `systemd gave a socket on port ${port.endpoint.port} that belongs to no door`,
        'Write FileDescriptorName= with the name of a door into the .socket unit, or the port into [listen].',
      )
    }
    found.set(door, [...(found.get(door) ?? []), port])
  }
  // What we start must not take them for its own.
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete environment[name]
  return found
}

function descriptorCount(environment: NodeJS.ProcessEnv): number {
  const pid = Number(environment['LISTEN_PID'])
  // The launcher, our parent, may stand between systemd and us.
  if (pid !== process.pid && pid !== process.ppid) return 0
  const count = Number(environment['LISTEN_FDS'])
  return Number.isSafeInteger(count) && count > 0 ? Math.min(count, 100) : 0
}

function doorOf(config: Config, name: string, port: BoundPort): DoorName | null {
  const named = doorNames.find((door) => door === name)
  if (named !== undefined) return named
  const hasPort = (door: DoorName): boolean =>
    config.listen[door]?.some((endpoint) => endpoint.port === port.endpoint.port) ?? false
  return doorNames.find(hasPort) ?? null
}
