/** Puts the guards together: what they share by all doors of a server, and the filters in the order in which they are asked. */
import type { Clock } from '../../base/clock.ts'
import type { GuardsConfig } from '../../base/guards-config.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { inNetworks } from '../../base/network.ts'
import type { Notes } from '../../store/notes.ts'
import type { SmtpFilter } from '../filter/filter.ts'
import { BanList } from './bans.ts'
import { blocklists } from './blocklists.ts'
import { earlyTalker } from './early-talker.ts'
import { firstTime } from './first-time.ts'
import { greylist } from './greylist.ts'
import type { GuardWorld } from './guard-world.ts'
import { harvest } from './harvest.ts'
import { loop } from './loop.ts'
import { nullSender } from './null-sender.ts'
import { Offences } from './offences.ts'
import { rates } from './rates.ts'
import { senderDomain } from './sender-domain.ts'
import { sizes } from './sizes.ts'
import { submissionGuard } from './submission-guard.ts'
import { SubmissionLimits } from './submission-limits.ts'

export interface GuardOptions {
  /** Read when it counts: its values may change. */
  readonly config: GuardsConfig
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly notes: Notes
}

/** What the guards know; without a server the command line works on it as well. */
export interface GuardBook {
  readonly bans: BanList
  readonly submission: SubmissionLimits
  /** Waits until it is on disk. */
  flush(): Promise<void>
}

export function openGuardBook(options: GuardOptions): GuardBook {
  const { notes, config } = options
  return {
    bans: new BanList({ ...options, banned: config.banned }),
    submission: new SubmissionLimits(options),
    flush: () => notes.flush(),
  }
}

export interface Guards extends GuardBook {
  readonly offences: Offences
  readonly filters: readonly SmtpFilter[]
  isTrusted(address: string): boolean
}

export function createGuards(options: GuardOptions & { readonly resolver: Resolver }): Guards {
  const { config, limits } = options
  const isAllowed = inNetworks(() => config.allow)
  const isTrusted = (address: string): boolean => config.trusted.includes(address) || isAllowed(address)
  /** What asks where mail comes from has nothing to ask of networks that are allowed. */
  const ofStrangers = (filter: SmtpFilter): SmtpFilter => ({
    name: filter.name,
    open: (client) => (isAllowed(client.remoteAddress) ? null : filter.open(client)),
  })
  const book = openGuardBook(options)
  const offences = new Offences({ ...options, bans: book.bans, isTrusted })
  const world: GuardWorld = { ...options, offences, submission: book.submission }
  return {
    ...book,
    offences,
    isTrusted,
    // Those that cost nothing first; what asks DNS after what may refuse without. One that is switched off opens no session.
    filters: [
      ofStrangers(earlyTalker(world)),
      ofStrangers(rates(world)),
      submissionGuard(world),
      nullSender(),
      ofStrangers(harvest(world)),
      sizes(world),
      ofStrangers(senderDomain(world)),
      ofStrangers(blocklists(world)),
      ofStrangers(greylist(world)),
      loop(),
      ...(limits.firstTimeDelayMs > 0 ? [ofStrangers(firstTime(world))] : []),
    ],
  }
}
