/** Opens the doors a configuration names. The room behind a door is loaded only when the door is to be opened. */
import type { Authenticator } from '../auth/authenticator.ts'
import type { Config, DoorName } from '../base/config.ts'
import type { Rejects } from '../delivery/rejects.ts'
import type { ImapShared } from '../imap/server/shared.ts'
import type { JourneySink } from '../journey/event.ts'
import type { MaildropLocks } from '../pop3/server/maildrop-locks.ts'
import type { FiledLetter } from '../smtp/server/options.ts'
import type { SmtpFilter } from '../smtp/filter/filter.ts'
import type { Store } from '../store/store.ts'
import type { SignerSource } from '../submission/signer.ts'
import type { ReloadableServerTls } from '../tls/server-tls.ts'
import type { ServerGuards } from './make-guards.ts'
import type { Metrics } from './health/metrics.ts'
import type { World } from './world.ts'
import { liveTable, withGetters } from '../base/live-table.ts'
import { inNetworks } from '../base/network.ts'
import { type Door, type Listener, serveAt } from '../base/listener.ts'
import { createIdentify } from './identify.ts'
import { makeForwarding } from './make-forwarding.ts'
import { journeysAtLevel } from './journeys-at-level.ts'
import { releasePorts, takePorts, type TakenPorts } from './take-ports.ts'

/** What stands behind every door of one server. */
export interface BehindDoors {
  readonly config: Config
  readonly world: World
  readonly store: Store
  readonly authenticator: Authenticator
  readonly tls: ReloadableServerTls
  readonly journeys: JourneySink
  /** One gate for all doors: 50 connections of an address are 50 to the whole server. */
  readonly guards: Pick<ServerGuards, 'gate' | 'refusals' | 'offences'>
  /** Who has a say while mail comes in; absent: nobody. */
  readonly filters?: readonly SmtpFilter[]
  /** Told of each letter that was filed here. */
  readonly filed?: (letter: FiledLetter) => void
  /** Keeps copies of what filters refuse; null: none are kept. */
  readonly rejects: Rejects | null
  /** Absent: what is handed in goes out unsigned. */
  readonly signer?: SignerSource
  readonly metrics: Metrics
  /** Bound already; absent: bound now. */
  readonly ports?: TakenPorts
  /** Asked anew each time: the first domain may be added while the server runs. */
  defaultDomain(): string
}

export type OpenDoors = ReadonlyMap<DoorName, Listener>

/** @throws {StartError} The doors that were open already are closed again. */
export async function openDoors(behind: BehindDoors): Promise<OpenDoors> {
  const open = new Map<DoorName, Listener>()
  const makeDoor = doorMaker(behind)
  const { limits } = behind.config
  const { gate } = behind.guards
  const bounds = {
    get connections() {
      return limits.connections
    },
    connectionsPerAddress: limits.connectionsPerAddress,
    // The gate knows them.
    trusted: [],
    gate,
  }
  const ports = behind.ports ?? (await takePorts(behind.config, {}))
  try {
    for (const [name, bound] of ports) {
      open.set(name, serveAt(await makeDoor(name), bound, bounds))
    }
  } catch (error) {
    await closeDoors(open, 0)
    releasePorts(ports)
    throw error
  }
  return open
}

/** All at once: the grace counts for the whole server. */
export async function closeDoors(open: OpenDoors, graceMs: number): Promise<void> {
  await Promise.all(Array.from(open.values(), (listener) => listener.close(graceMs)))
}

function doorMaker(behind: BehindDoors): (name: DoorName) => Promise<Door> {
  const { config, world } = behind
  const common = {
    hostname: config.hostname,
    store: behind.store,
    authenticator: behind.authenticator,
    limits: config.limits,
    clock: world.clock,
    random: world.random,
    journeys: journeysAtLevel(() => config.journey.level, behind.journeys),
  }
  const identify = createIdentify(behind.store)
  const optionsOf = (name: DoorName) => ({
    ...common,
    tls: behind.tls.forDoor({
      protocol: protocolOf(name),
      // Other servers have certificates too, and they mean nothing to us.
      identify: name === 'smtp' || name === 'lmtp' ? null : identify,
      ended: (outcome) => behind.metrics.handshakes.add(outcome),
    }),
    // Not in `common`: a spread would read them once and for all.
    get plaintext() {
      return config.auth.plaintext
    },
    get defaultDomain() {
      return behind.defaultDomain()
    },
    implicitTls: name === 'submissions' || name === 'pop3s' || name === 'imaps',
    log: world.log.with({ door: name }),
  })
  let locks: MaildropLocks | null = null
  let imapShared: ImapShared | null = null
  const makers = {
    async smtp(name: DoorName) {
      const { createSmtpDoor } = await import('../smtp/server/door.ts')
      const role =
        name === 'smtp' ? ('mx' as const) : name === 'lmtp' ? ('lmtp' as const) : ('submission' as const)
      // Other words for the same replies are between servers; user agents get the usual ones.
      const replyTexts = role === 'mx' ? world.replyTexts : undefined
      return createSmtpDoor(
        withGetters(optionsOf(name), {
          role,
          replied: (code: number) => behind.metrics.replies.add(classOf(code)),
          get journeyLevel() {
            return config.journey.level
          },
          inquiries: liveTable(() => config.smtp),
          filters: behind.filters ?? [],
          signer: behind.signer ?? null,
          mayEtrn: inNetworks(() => config.smtp.etrn),
          get noSolicitation() {
            return config.smtp.noSolicitation
          },
          forwarding: makeForwarding(config, world),
          rejects: behind.rejects,
          get trusted() {
            return config.guards.trusted
          },
          refusals: behind.guards.refusals,
          mistaken: (address: string) => behind.guards.offences.count('protocol', address),
          get proxies() {
            return config.guards.proxies
          },
          get xclient() {
            return config.guards.xclient
          },
          // What is thrown away is relayed to nobody: for measuring, from addresses that are named.
          mayRelay: (domain: string, address: string) =>
            config.routes.get(domain) === 'discard' && config.guards.trusted.includes(address),
          ...(behind.filed === undefined ? {} : { filed: behind.filed }),
          ...(replyTexts === undefined ? {} : { replyTexts }),
        }),
      )
    },
    async pop3(name: DoorName) {
      const { createPop3Door } = await import('../pop3/server/door.ts')
      const { MaildropLocks } = await import('../pop3/server/maildrop-locks.ts')
      // RFC 1939 §4: a maildrop is locked for one session, whichever of the two POP3 doors it came in by.
      locks ??= new MaildropLocks()
      return createPop3Door(Object.assign(optionsOf(name), { locks }))
    },
    async imap(name: DoorName) {
      const { createImapDoor } = await import('../imap/server/door.ts')
      const { ImapShared } = await import('../imap/server/shared.ts')
      imapShared ??= new ImapShared()
      return createImapDoor(Object.assign(optionsOf(name), { shared: imapShared }))
    },
  }
  return (name) => {
    if (name === 'pop3' || name === 'pop3s') return makers.pop3(name)
    if (name === 'imap' || name === 'imaps') return makers.imap(name)
    return makers.smtp(name)
  }
}

function classOf(code: number): '2xx' | '3xx' | '4xx' | '5xx' {
  if (code < 300) return '2xx'
  return code < 400 ? '3xx' : code < 500 ? '4xx' : '5xx'
}

/** ALPN name of what is spoken at a door. */
function protocolOf(door: DoorName): string {
  if (door === 'pop3' || door === 'pop3s') return 'pop3'
  return door === 'imap' || door === 'imaps' ? 'imap' : 'smtp'
}
