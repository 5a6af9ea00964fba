import type { Config } from '../base/config.ts'
import { liveTable } from '../base/live-table.ts'
import type { JourneySink } from '../journey/event.ts'
import type { TlsSession } from '../queue/tls-session.ts'
import type { FiledHere } from '../queue/options.ts'
import type { OutgoingQueue } from '../queue/wake.ts'
import type { SignerSource } from '../submission/signer.ts'
import type { Store } from '../store/store.ts'
import type { World } from './world.ts'
import { createLocalDelivery } from '../delivery/local-delivery.ts'
import { makeForwarding } from './make-forwarding.ts'
import { journeysAtLevel } from './journeys-at-level.ts'

/** What the queue of one server works with. */
export interface QueueParts {
  readonly config: Config
  readonly world: World
  readonly store: Store
  readonly journeys: JourneySink
  readonly signer: SignerSource | null
  readonly tlsSession: (session: TlsSession) => void
  /** Told of what was filed here. */
  readonly filed: (letter: FiledHere) => void
}

/** Makes the outgoing queue; it begins with `start()`. */
export async function makeQueue({
  config,
  world,
  store,
  journeys,
  signer,
  tlsSession,
  filed,
}: QueueParts): Promise<OutgoingQueue> {
  const { createQueue } = await import('../queue/queue.ts')
  const signReport = signer === null ? undefined : reportSigner(signer)
  const { clock, random, resolver, dialler, dialect, queuePort, isForbidden } = world
  return createQueue({
    ...{ resolver, dialler, clock, random },
    ...{ store, tlsSession, filed },
    routes: config.routes,
    hostname: config.hostname,
    ehloName: config.outgoing.ehloName ?? config.hostname,
    limits: config.limits,
    log: world.log.with({ room: 'queue' }),
    journeys: journeysAtLevel(() => config.journey.level, journeys),
    bounds: liveTable(() => config.queue),
    retryMs: () => config.queue.retryMs,
    ...(signReport === undefined ? {} : { signReport }),
    localDelivery: createLocalDelivery(store, config.limits, makeForwarding(config, world)),
    primaryOf: async (domain) => (await store.backupDomains.find(domain))?.primary ?? null,
    tls: { ca: world.authorities },
    ...(dialect === undefined ? {} : { dialect }),
    ...(isForbidden === undefined ? {} : { isForbidden }),
    ...(queuePort === undefined ? {} : { port: queuePort }),
  })
}

/** Reports are ours, so they are signed by our keys. */
function reportSigner(signer: SignerSource) {
  return (octets: Uint8Array, domain: string): Promise<readonly string[]> => {
    const message = signer.open()
    message.push(octets)
    return message.finish(domain, [])
  }
}
