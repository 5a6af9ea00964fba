import type { Clock } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { JourneyReader, JourneySink } from '../journey/event.ts'
import type { OutgoingQueue } from '../queue/wake.ts'
import type { ReceivedReports } from '../reports/received/received-reports.ts'
import type { Reporter } from '../reports/sending/reporter.ts'
import type { GuardBook } from '../smtp/guard/create-guards.ts'
import type { Store } from '../store/store.ts'
import type { HandInDeskOptions } from '../submission/hand-in-desk.ts'

/** What the admin API works on. Without a server (the command line on a folder that nobody owns) some of it is null. */
export interface AdminOptions {
  readonly store: Store
  readonly journeys: JourneyReader | null
  readonly queue: OutgoingQueue | null
  readonly clock: Clock
  readonly log: Log
  /** @throws {RangeError} The password is not one that can be used. */
  hashPassword(password: string): Promise<string>
  /** What the server says of itself; null without one. */
  readonly status: (() => ServerStatus) | null
  /** Reads the configuration anew; null without a server. Rejects when it cannot be used, and nothing has changed. */
  readonly reload?: (() => Promise<object>) | null
  /** Begins a graceful stop; null without a server. */
  readonly stop: (() => void) | null
  /** For import and export. Absent: default limits, no journeys. */
  readonly transfer?: { readonly limits: Limits; readonly journeys: JourneySink; readonly random: Random }
  /** What others reported about us, and what we report about others, null without a server. Absent: neither. */
  readonly reports?: { readonly received: ReceivedReports; readonly reporter: Pick<Reporter, 'send'> | null }
  /** For what the sendmail command is given. Absent: nothing can be handed in. */
  readonly handIn?: HandInDeskOptions
  /** Bans, and what accounts may send. Absent: they cannot be asked for. */
  readonly guards?: GuardBook
  /** Where the store is, for backup and verify. Absent: they cannot be asked for. */
  readonly dataFolder?: string
  /** The server's name and whom it asks, for the records of domains. Absent: they cannot be asked for. */
  readonly dns?: { readonly hostname: string; readonly resolver: Resolver }
  /** Called after a domain was added or removed. */
  domainsChanged(): Promise<void>
}

export interface ServerStatus {
  readonly pid: number
  readonly hostname: string
  readonly startedAt: number
  /** Each open door with the address it listens on. */
  readonly doors: Readonly<Record<string, string>>
  readonly connections: Readonly<Record<string, number>>
  readonly certificates: readonly { readonly names: readonly string[]; readonly expiresAt: number }[]
}
