/** Puts the reports of one server together: who is told what was seen, who sends it, who reads what others send. */
import type { Config } from '../base/config.ts'
import type { JourneySink } from '../journey/event.ts'
import type { TlsSession } from '../queue/tls-session.ts'
import { DmarcGatherer } from '../reports/dmarc/gather.ts'
import type { ReceivedReports } from '../reports/received/received-reports.ts'
import { openReceivedReports } from '../reports/received/open.ts'
import { ReportAddresses } from '../reports/received/report-addresses.ts'
import { LetterTaker } from '../reports/received/take-letter.ts'
import type { ReportIdentity } from '../reports/sending/identity.ts'
import { Reporter } from '../reports/sending/reporter.ts'
import { TlsGatherer } from '../reports/tls/gather.ts'
import type { JudgedMessage } from '../smtp/guard/judge-sender.ts'
import type { FiledLetter } from '../smtp/server/options.ts'
import type { Notes } from '../store/notes.ts'
import { reportNames } from '../store/accounts.ts'
import type { Filed, Store } from '../store/store.ts'
import type { SignerSource } from '../submission/signer.ts'
import { dmarcObservation, tlsObservation } from './observe.ts'
import { createReportPost } from './report-post.ts'
import type { World } from './world.ts'

export interface ReportParts {
  readonly config: Config
  readonly world: World
  readonly store: Store
  readonly journeys: JourneySink
  readonly notes: Notes
  readonly signer: SignerSource
  defaultDomain(): string
}

export interface ServerReports {
  readonly received: ReceivedReports
  readonly reporter: Reporter
  judged(judged: JudgedMessage): void
  tlsSession(session: TlsSession): void
  filed(letter: FiledLetter): void
  /** Domains of ours came or went, or the configuration was read anew. */
  changed(): void
  start(): void
  close(): Promise<void>
}

export function makeReports(parts: ReportParts): ServerReports {
  const { config, world, store, notes } = parts
  const { limits, hostname } = config
  const { clock, resolver } = world
  const log = world.log.with({ part: 'reports' })
  const received = openReceivedReports(config.data, limits, log)
  const dmarc = new DmarcGatherer(notes, limits)
  const tls = new TlsGatherer(notes, limits)
  const addresses = new ReportAddresses({
    ...{ resolver, clock, log, domains: () => store.listDomains() },
    addresses: () => [
      ...config.reports.addresses,
      ...(config.reports.from === null ? [] : [config.reports.from]),
    ],
  })
  const octetsMax = limits.receivedReportOctets
  const letters = new LetterTaker({ store, reports: received, hostname, octetsMax, clock, log })
  const read = ([first]: readonly Filed[]): void => {
    // Further ones are copies of it.
    if (first !== undefined) letters.take(first)
  }
  /** As whom reports were sent last: sessions that carry them are not reported about. */
  let ownAddress: string | null = null
  const reporter = new Reporter({
    get dmarc() {
      return config.reports.dmarc ? dmarc : null
    },
    get tls() {
      return config.reports.tls ? tls : null
    },
    excludes: (domain) => config.reports.exclude.includes(domain),
    ...{ limits, resolver, clock, log },
    post: createReportPost({ ...parts, filed: read }),
    async identity() {
      const identity = await identityOf(parts)
      ownAddress = identity.address
      return identity
    },
    generator: 'Posthorn',
    random: world.random,
  })
  return {
    ...{ received, reporter },
    judged(judged) {
      const observation = config.reports.dmarc ? dmarcObservation(judged, clock.now()) : null
      if (observation === null) return
      void addresses.refresh().then(() => {
        // A report about a report would bring the next one.
        if (!judged.recipients.every((one) => addresses.has(one))) dmarc.observe(observation)
      })
    },
    tlsSession(session) {
      if (!config.reports.tls) return
      const observation = tlsObservation(session, clock.now())
      void addresses.refresh().then(() => {
        const { reversePath } = session
        if (reversePath !== ownAddress && !addresses.has(reversePath)) tls.observe(observation)
      })
    },
    filed({ recipients, filed, octets }) {
      if (octets > octetsMax) return
      void addresses.refresh().then(() => {
        if (recipients.some((one) => addresses.has(one))) read(filed)
      })
    },
    changed: () => addresses.stale(),
    start() {
      reporter.start()
    },
    async close() {
      await reporter.stop()
      await received.close()
    },
  }
}

/** An address that takes answers: `dmarc-reports@`, which is there as soon as the domain has an account; until then postmaster@. */
async function identityOf({ config, store, defaultDomain }: ReportParts): Promise<ReportIdentity> {
  const { from, organisation, contact } = config.reports
  const usual = `${reportNames[0]}@${defaultDomain()}`
  const address = from ?? ((await isThere(store, usual)) ? usual : `postmaster@${defaultDomain()}`)
  return { address, organisation: organisation ?? address.slice(address.lastIndexOf('@') + 1), contact }
}

async function isThere(store: Store, address: string): Promise<boolean> {
  const { kind } = await store.resolveAddress(address)
  return kind === 'account' || kind === 'alias'
}
