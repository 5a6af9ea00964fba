import type { Clock } from '../../base/clock.ts'
import type { GuardsConfig } from '../../base/guards-config.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { Notes } from '../../store/notes.ts'
import type { FilterClient } from '../filter/filter.ts'
import type { Offences } from './offences.ts'
import type { SubmissionLimits } from './submission-limits.ts'

/** What the guards work with. */
export interface GuardWorld {
  readonly config: GuardsConfig
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly resolver: Resolver
  readonly notes: Notes
  readonly offences: Offences
  readonly submission: SubmissionLimits
}

/** Somebody from outside whom nobody vouches for. */
export function isStranger(client: FilterClient): boolean {
  return client.role === 'mx' && !client.trusted && client.account === null
}

/** Waits by the server's clock. @param ms Kept under what all filters together may take. */
export function pause({ clock, limits }: Pick<GuardWorld, 'clock' | 'limits'>, ms: number): Promise<void> {
  const bounded = Math.min(ms, limits.checkTimeoutMs * 0.8)
  return new Promise((resolve) => clock.after(bounded, resolve))
}

/** @returns '' for the null reverse-path and for a path without a domain; lower case. */
export function domainOf(path: string): string {
  const at = path.lastIndexOf('@')
  return at < 0 ? '' : path.slice(at + 1).toLowerCase()
}
