/**
 * One mail server: the store of a data folder, the doors to it, and the queue out of it.
 *
 * No module keeps state, so several servers live in one process; each reaches time, randomness, DNS and the network only
 * through the `World` it was given. When `createServer` has returned, every door is open; when it throws, nothing is.
 * `close` takes no new connection, lets sessions and attempts end within the grace, then lets go of the data folder.
 */
import type { Hono } from 'hono'
import type { ServerStatus } from '../admin/admin-options.ts'
import type { Config } from '../base/config.ts'
import type { JourneyReader, JourneySink } from '../journey/event.ts'
import type { OutgoingQueue } from '../queue/wake.ts'
import type { Journeys } from '../store/journeys/open.ts'
import type { Store } from '../store/store.ts'
import type { CertificateSet } from '../tls/server-tls.ts'
import type { ServerLine } from './ready-line.ts'
import { releasePorts, type TakenPorts } from './take-ports.ts'
import type { ServerGuards } from './make-guards.ts'
import type { ReportParts } from './make-reports.ts'
import type { World } from './world.ts'
import { keepCertificates, loadCertificates } from './certificates.ts'
import { formatEndpoint } from './endpoint-text.ts'
import { firstDomain } from './first-domain.ts'
import { type Reloaded, reloadConfig } from './reload-config.ts'
import { closeDoors, type OpenDoors, openDoors } from './open-doors.ts'
import { journeysAtLevel } from './journeys-at-level.ts'
import { makeHandIn } from './make-hand-in.ts'
import { makeRejects } from './make-rejects.ts'
import { makeQueue } from './make-queue.ts'

export interface PosthornServer {
  readonly config: Config
  /** The first domain in the store, else the parent of the host name: what `user bob` means. */
  readonly defaultDomain: string
  /** Its part of the ready line. */
  readonly line: ServerLine
  readonly store: Store
  readonly journeys: JourneyReader & JourneySink
  readonly queue: OutgoingQueue
  /** To be called after a domain was added or removed not by the admin API: `defaultDomain` may be another one now. */
  domainsChanged(): Promise<void>
  /** The admin API; loaded when it is first asked for. */
  adminApp(): Promise<Hono>
  /**
   * Reads the certificates anew, and puts another configuration in force as far as that goes without a restart.
   *
   * @throws {StartError} The certificates cannot be used; everything stays as it was.
   */
  reload(next?: Config): Promise<Reloaded>
  close(graceMs: number): Promise<void>
}

export interface ServerHooks {
  /** Called when somebody asks by the admin API that the configuration be read anew. */
  reload?(): Promise<Reloaded>
  /** Called when somebody asks by the admin API that the server stop. Absent: it cannot be asked. */
  stop?(): void
  /** Called when the store cannot go on: nothing is lost, and nothing is accepted until the process is started again. */
  failed?(cause: Error): void
}

/** What was got ready with rights that are gone by now. */
export interface ServerGiven {
  readonly ports?: TakenPorts
  /** Named by the configuration; with none the self-made one is used. */
  readonly certificates?: CertificateSet
}

type Closer = (graceMs: number) => Promise<unknown> | undefined

/** @throws {StartError} @throws {StoreInUse} Another process holds the data folder. */
export async function createServer(
  config: Config,
  world: World,
  hooks: ServerHooks = {},
  given: ServerGiven = {},
): Promise<PosthornServer> {
  const closers: Closer[] = []
  const close = async (graceMs: number): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer(graceMs)
  }
  try {
    return await start(config, world, hooks, given, closers, close)
  } catch (error) {
    await close(0)
    if (given.ports !== undefined) releasePorts(given.ports)
    throw error
  }
}

/** What everything else stands on. */
async function openRooms(
  config: Config,
  world: World,
  hooks: ServerHooks,
  given: ServerGiven,
  closers: Closer[],
) {
  const { limits } = config
  const { clock, random, log } = world
  const { openHealth } = await import('./health/open-health.ts')
  const health = await openHealth(config)
  closers.push(() => health.close())
  const { openStore } = await import('../store/open.ts')
  const store = await openStore({
    folder: config.data,
    limits,
    surroundings: { clock, random, log },
    indexFor: config.search.indexFor,
    ...(hooks.failed === undefined ? {} : { onFailure: (cause: Error) => hooks.failed?.(cause) }),
  })
  closers.push(() => store.close())
  const { meterStore } = await import('./health/meter.ts')
  meterStore(store, health.metrics)
  const { openJourneys } = await import('../store/journeys/open.ts')
  const journeys = await openJourneys({ folder: config.data, limits, log, clock })
  closers.push(() => journeys.close())
  const { makeGuards } = await import('./make-guards.ts')
  const guards = await makeGuards({ config, world, journeys })
  closers.push(() => guards.close())

  const { createServerTls } = await import('../tls/server-tls.ts')
  const tls = createServerTls(await loadCertificates(config, world, given.certificates))
  const stopKeeping = keepCertificates({ tls, world, config: () => config })
  closers.push(async () => stopKeeping())
  return { health, store, journeys, guards, tls }
}

async function start(
  config: Config,
  world: World,
  hooks: ServerHooks,
  given: ServerGiven,
  closers: Closer[],
  close: (graceMs: number) => Promise<void>,
): Promise<PosthornServer> {
  const { limits } = config
  const { clock, random, log } = world
  const { health, store, journeys, guards, tls } = await openRooms(config, world, hooks, given, closers)
  const { meterAuthenticator } = await import('./health/meter.ts')
  const { createAuthenticator } = await import('../auth/create-authenticator.ts')
  const passwords = createAuthenticator({
    ...{ store, limits, clock, random, log },
    guessed: (address) => guards.offences.count('login', address),
  })
  const authenticator = meterAuthenticator(passwords, health.metrics)

  let defaultDomain = await firstDomain(store, config.hostname)
  const behind = { config, world, store, journeys, guards, defaultDomain: () => defaultDomain }
  const { signer, reports, queue, filters, rejects } = await makeFlow(behind, closers)
  const doors = await openDoors({
    ...{ ...behind, filters: filters.filters, authenticator, tls, signer, rejects, filed: reports.filed },
    metrics: health.metrics,
    ...(given.ports === undefined ? {} : { ports: given.ports }),
  })
  closers.push((graceMs) => closeDoors(doors, graceMs))
  closers.push(async () => health.draining())
  queue.start()
  reports.start()
  await health.started(doors, { store, queue, config, world })

  const startedAt = clock.now()
  let app: Promise<Hono> | null = null
  const server: PosthornServer = {
    ...{ config, store, journeys, queue, close },
    get defaultDomain() {
      return defaultDomain
    },
    get line() {
      return { domain: defaultDomain, hostname: config.hostname, ...endpointsOf(doors), ...health.line }
    },
    domainsChanged,
    adminApp: () => (app ??= makeAdminApp()),
    async reload(next = config) {
      const certificates = await loadCertificates({ ...next, data: config.data }, world)
      const useFilters = await filters.prepare(next)
      tls.replace(certificates)
      const reloaded = reloadConfig(config, next)
      useFilters()
      guards.reloaded()
      reports.changed()
      return reloaded
    },
  }

  async function domainsChanged(): Promise<void> {
    defaultDomain = await firstDomain(store, config.hostname)
    reports.changed()
  }

  async function makeAdminApp(): Promise<Hono> {
    const { createAdminApp } = await import('../admin/create-admin-app.ts')
    const { hashPassword } = await import('../auth/password-hash.ts')
    return createAdminApp({
      ...{ store, journeys, queue, clock, log, guards },
      reports: { received: reports.received, reporter: reports.reporter },
      hashPassword: (password) => hashPassword(password, random),
      status: () => statusOf(config, startedAt, doors, tls.certificates),
      reload: hooks.reload?.bind(hooks) ?? null,
      stop: hooks.stop?.bind(hooks) ?? null,
      transfer: { limits, journeys: journeysAtLevel(() => config.journey.level, journeys), random },
      handIn: {
        ...makeHandIn({ config, world, store, journeys, signer }),
        defaultDomain: () => defaultDomain,
      },
      dataFolder: config.data,
      dns: { hostname: config.hostname, resolver: world.resolver },
      domainsChanged,
    })
  }
  return server
}

type Flow = Omit<ReportParts, 'notes' | 'signer'> & {
  readonly journeys: Journeys
  readonly guards: ServerGuards
}

/** What mail goes through between the doors: the judges on its way in, the queue on its way out, and reports of both. */
async function makeFlow(parts: Flow, closers: Closer[]) {
  const { config, world, store, journeys, guards } = parts
  const { clock, log } = world
  const { makeSigner } = await import('./make-signer.ts')
  const signer = makeSigner({ store, clock, log, limits: config.limits })
  const { makeReports } = await import('./make-reports.ts')
  const sink = journeysAtLevel(() => config.journey.level, journeys)
  const reports = makeReports({ ...parts, signer, journeys: sink, notes: guards.notes })
  closers.push(() => reports.close())
  const { judged, tlsSession, filed } = reports
  const queue = await makeQueue({ config, world, store, journeys, signer, tlsSession, filed })
  closers.push((graceMs) => queue.stop(graceMs))
  const { makeReloadableFilters } = await import('./reloadable-filters.ts')
  const filters = await makeReloadableFilters({ config, world, guards, judged })
  closers.push(async () => filters.close())
  const rejects = makeRejects({ config, world, store })
  rejects?.start()
  closers.push(async () => rejects?.stop())
  return { signer, reports, queue, filters, rejects }
}

function statusOf(
  { hostname }: Config,
  startedAt: number,
  doors: OpenDoors,
  certificates: ServerStatus['certificates'],
): ServerStatus {
  const connections = Object.fromEntries(Array.from(doors, ([name, door]) => [name, door.connections]))
  return { pid: process.pid, hostname, startedAt, doors: endpointsOf(doors), certificates, connections }
}

function endpointsOf(doors: OpenDoors): Record<string, string> {
  return Object.fromEntries(Array.from(doors, ([name, door]) => [name, formatEndpoint(door.endpoints[0]!)]))
}
