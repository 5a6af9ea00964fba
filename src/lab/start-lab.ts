/**
 * The Lab: crepes.fr and hamburger.edu, each a whole server, with a name server of their own, in one process and on
 * loopback only. The resolver knows the Lab's name server and nobody else, and the dialler connects to 127.0.0.0/8 and
 * ::1 and nowhere else, so that no letter can leave although the names may exist in the world.
 */
import { noGuards } from '../base/guards-config.ts'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Config, DoorName, Endpoint } from '../base/config.ts'
import type { Surroundings } from '../base/dialler.ts'
import type { Authority } from '../dns/authority.ts'
import type { ReadyLine } from '../daemon/ready-line.ts'
import type { World } from '../daemon/world.ts'
import { noFilters } from '../base/filter-config.ts'
import { noReports } from '../base/reports-config.ts'
import { type ChecksConfig, defaultChecks } from '../base/checks-config.ts'
import { defaultQueueConfig } from '../base/queue-config.ts'
import { defaultRejects } from '../base/rejects-config.ts'
import { defaultLimits } from '../base/limits.ts'
import { controlPath } from '../daemon/control-path.ts'
import { openControlSocket } from '../daemon/control-socket.ts'
import { formatEndpoint, parseEndpoint } from '../daemon/endpoint-text.ts'
import { createServer, type PosthornServer } from '../daemon/server.ts'
import { keyRecord } from '../admin/dns-records.ts'
import { startAuthority } from '../dns/authority.ts'
import { createResolver } from '../dns/stub-resolver.ts'
import { loopbackDialler } from '../smtp/client/dialler.ts'
import { issueCertificate } from '../tls/certificate.ts'
import { loadOrMakeLabAuthority } from './lab-authority.ts'
import { labControl } from './lab-control.ts'
import { freePorts, labDoors, labPorts, type ServerPorts } from './lab-ports.ts'
import { resetMaildrop } from './reset-maildrop.ts'
import { announceLab } from './running-lab.ts'
import { hostnameOf, labDomains, labZones, lectureReplies, type Scene } from './scene.ts'
import { settleIn } from './settle-in.ts'

export interface LabOptions {
  readonly surroundings: Surroundings
  readonly scene: Scene
  /** Kept afterwards. Null: a temporary folder that is removed at the end. */
  readonly folder: string | null
  /** First of consecutive ports, 0 for any; null: the usual ones. */
  readonly basePort: number | null
  /** Puts Bob's letters back although the folder has been used before. */
  readonly reset: boolean
  /** Called when somebody asks for the end by the control socket. */
  stop(): void
}

export interface Lab {
  readonly line: ReadyLine
  readonly scene: Scene
  readonly folder: string
  /** Ports that others had, so that free ones were taken. */
  readonly taken: readonly number[]
  readonly authority: Authority
  /** Alice's server and Bob's. */
  readonly servers: readonly [PosthornServer, PosthornServer]
  /** Sends what is meant for `hostname:port` somewhere else on loopback from now on. */
  redirect(target: string, to: Endpoint): void
  /** Bob's INBOX holds the two letters of the lecture again, and nothing else. */
  reset(): Promise<void>
  close(graceMs: number): Promise<void>
}

type Closer = (graceMs: number) => Promise<unknown> | undefined

/** @throws {StartError} Nothing is left open, and nothing is left behind. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const closers: Closer[] = []
  const close = async (graceMs: number): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer(graceMs)
  }
  try {
    return await open(options, closers, close)
  } catch (error) {
    await close(0)
    throw error
  }
}

async function open(
  options: LabOptions,
  closers: Closer[],
  close: (graceMs: number) => Promise<void>,
): Promise<Lab> {
  const { surroundings, scene } = options
  const folder = await makeFolder(options.folder, closers)
  const ca = await loadOrMakeLabAuthority(folder, surroundings)
  const { ports, taken } = await freePorts(labPorts(options.basePort))

  const authority = await serveNames(scene, ports.dns, taken)
  closers.push(() => authority.close())
  const resolver = createResolver({ servers: [authority.endpoint], validating: false, ...surroundings })
  closers.push(async () => resolver.close())

  const portMap = new Map<string, Endpoint>()
  const world = (domain: string): World => ({
    ...surroundings,
    log: surroundings.log.with({ server: domain }),
    resolver,
    dialler: loopbackDialler(portMap, surroundings.clock),
    authorities: [ca.certificate],
    certificate: issueCertificate(ca, certificateNames(domain), {
      nowMs: surroundings.clock.now(),
      random: surroundings.random,
    }),
    ...(scene === 'lecture' ? { replyTexts: lectureReplies, dialect: 'lecture' as const } : {}),
  })
  const started = await Promise.allSettled(
    labDomains.map(async (labDomain, index) => {
      const { domain } = labDomain
      const config = serverConfig(domain, scene, join(folder, domain), ports.servers[index]!)
      const server = await createServer(config, world(domain))
      closers.push((graceMs) => server.close(graceMs))
      return { server, isNew: await settleIn(server, labDomain, surroundings, scene === 'today') }
    }),
  )
  // Both have come to an end before the first failure is told: what is open can be closed.
  const opened = started.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
  const servers = opened.map(({ server }) => server) as [PosthornServer, PosthornServer]
  authority.setZones(labZones(scene, await keysOf(servers)))
  for (const { line } of servers) {
    for (const name of [line.domain, `mail.${line.domain}`]) {
      if (line.smtp !== undefined) portMap.set(`${name}:25`, parseEndpoint(line.smtp))
    }
  }

  const reset = (): Promise<void> => resetMaildrop({ store: servers[1].store, clock: surroundings.clock })
  if (options.reset || opened[1]!.isNew) await reset()
  const control = await openControlSocket(
    controlPath(folder),
    async () => labControl(servers, { reset, stop: options.stop }),
    surroundings.log,
  )
  closers.push(() => control.close())
  const line: ReadyLine = {
    ready: true,
    pid: process.pid,
    dns: formatEndpoint(authority.endpoint),
    ca: ca.file,
    control: control.path,
    servers: servers.map((server) => server.line),
    accounts: labDomains.map(({ account }) => account),
  }
  const withdraw = await announceLab(line)
  closers.push(withdraw)
  const redirect = (target: string, to: Endpoint): void => void portMap.set(target, to)
  return { line, scene, folder, taken, authority, servers, redirect, reset, close }
}

async function serveNames(scene: Scene, port: number, taken: number[]): Promise<Authority> {
  const options = { zones: labZones(scene), address: '127.0.0.1' }
  try {
    return await startAuthority({ ...options, port })
  } catch (error) {
    if (port === 0) throw error
    // It was looked for on TCP only; somebody has it on UDP.
    taken.push(port)
    return startAuthority({ ...options, port: 0 })
  }
}

async function makeFolder(kept: string | null, closers: Closer[]): Promise<string> {
  if (kept !== null) {
    const folder = resolve(kept)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  }
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-lab-'))
  closers.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function certificateNames(domain: string) {
  return { hostnames: [`mail.${domain}`, domain, 'localhost'], addresses: ['127.0.0.1', '::1'] }
}

function serverConfig(domain: string, scene: Scene, data: string, ports: ServerPorts): Config {
  const listen: { [door in DoorName]?: Endpoint[] } = {}
  for (const door of labDoors) listen[door] = [{ address: '127.0.0.1', port: ports[door] }]
  return {
    hostname: hostnameOf(domain, scene),
    data,
    listen,
    health: { http: [], metrics: [] },
    tls: { certificates: [], clientCa: null },
    process: { user: null, group: null },
    auth: { plaintext: 'loopback' },
    dns: { servers: null, validating: false },
    routes: new Map(),
    smtp: { vrfy: 'ambiguous', expn: false, etrn: [], noSolicitation: null },
    guards: { ...noGuards, trusted: ['127.0.0.1', '::1'] },
    outgoing: { address: null, ehloName: null, allowPrivate: false },
    queue: defaultQueueConfig,
    log: { level: 'info' },
    journey: { level: 'full' },
    search: { indexFor: 'searching' },
    checks: checksOf(scene),
    limits: defaultLimits,
    filters: noFilters,
    reports: noReports,
    forwarding: { srs: true },
    rejects: defaultRejects,
  }
}

/** In the lecture nobody signs anything; today everybody is judged, though in the Lab all come from an address we trust. */
function checksOf(scene: Scene): ChecksConfig {
  if (scene === 'lecture') return { ...defaultChecks, spf: 'off', dkim: false, dmarc: 'off' }
  return { ...defaultChecks, judgeTrusted: true }
}

/** What verifies the signatures of both servers, as it stands in DNS. */
async function keysOf(servers: readonly PosthornServer[]): Promise<ReadonlyMap<string, string>> {
  const records = new Map<string, string>()
  for (const { store, line } of servers) {
    for (const key of await store.listDomainKeys(line.domain)) {
      const { name, value } = keyRecord(key)
      records.set(name, value)
    }
  }
  return records
}
