/** Ties together what is counted, what is looked at and the doors that tell it. */
import type { Config } from '../../base/config.ts'
import type { OutgoingQueue } from '../../queue/wake.ts'
import type { Store } from '../../store/store.ts'
import type { World } from '../world.ts'
import { formatEndpoint } from '../endpoint-text.ts'
import type { OpenDoors } from '../open-doors.ts'
import { type HealthDoor, openHealthDoor } from './health-door.ts'
import { formatMetrics, Metrics } from './metrics.ts'
import { type Probe, startProbe } from './probe.ts'

export interface HealthParts {
  readonly store: Store
  readonly queue: Pick<OutgoingQueue, 'runs'>
  readonly config: Config
  readonly world: World
}

export interface Health {
  readonly metrics: Metrics
  /** `http://address:port` of `listen.http` and `listen.metrics`: for the ready line. */
  readonly line: Readonly<Record<string, string>>
  /** The doors are open and the queue runs. */
  started(doors: OpenDoors, parts: HealthParts): Promise<void>
  draining(): void
  close(): Promise<void>
}

/** Tells `starting` until `started` was called. @throws {StartError} */
export async function openHealth(config: Config): Promise<Health> {
  const metrics = new Metrics()
  let state: 'starting' | 'open' | 'draining' = 'starting'
  let doors: OpenDoors = new Map()
  let probe: Probe | null = null
  let store: Store | null = null

  const reasons = (): Record<string, string> => ({
    ...(state === 'open' ? {} : { [state]: `the server is ${state}` }),
    ...(state === 'starting' ? {} : probe?.findings.reasons),
  })
  const lagSeconds = (): number => probe?.findings.loopLagSeconds ?? 0
  const answers = {
    ...{ reasons, lagSeconds },
    metrics: () =>
      formatMetrics(metrics, {
        connections: new Map(
          Array.from(doors, ([name, { connections, accepted, turnedAway }]) => [
            name,
            { open: connections, accepted, turnedAway },
          ]),
        ),
        queueEntries: store?.queueEntries ?? null,
        searchIndex: store?.indexState ?? null,
        queueOldestSeconds: probe?.findings.queueOldestSeconds ?? null,
        diskFreeOctets: probe?.findings.diskFreeOctets ?? null,
        loopLagSeconds: lagSeconds(),
        ready: Object.keys(reasons()).length === 0,
      }),
  }
  const opened: Record<string, HealthDoor> = {}
  for (const name of ['http', 'metrics'] as const) {
    if (config.health[name].length === 0) continue
    opened[name] = await openHealthDoor(config.health[name], answers, name === 'metrics')
  }
  const isWatched = Object.keys(opened).length > 0
  return {
    metrics,
    line: Object.fromEntries(
      Object.entries(opened).map(([name, door]) => [name, `http://${formatEndpoint(door.endpoints[0]!)}`]),
    ),
    async started(open, parts) {
      doors = open
      store = parts.store
      const { hostname, data: dataFolder } = parts.config
      const { resolver, clock } = parts.world
      // Nobody would hear what it finds.
      if (isWatched) {
        probe = await startProbe({
          ...{ store, queue: parts.queue, resolver, hostname, dataFolder, clock },
          diskReserveOctets: () => config.limits.diskReserveOctets,
        })
      }
      state = 'open'
    },
    draining() {
      state = 'draining'
    },
    async close() {
      probe?.close()
      for (const door of Object.values(opened)) await door.close()
    },
  }
}
