import type { Endpoint } from '../base/config.ts'
import type { RecipientOutcome } from './outcome.ts'
import type { QueueBounds } from './options.ts'
import type { Held } from './world.ts'

/** One place that mail goes to: a domain, or the endpoint that a route names for one or more of them. */
export class Destination {
  readonly key: string
  /** For MX; not used with a route. */
  readonly domain: string
  readonly route: Endpoint | null
  /** In the order of their turn: see `add`. */
  readonly waiting: Held[] = []
  /** Connections that may still take a message. */
  active = 0
  /** Of those, the ones that have been busy with one message for long. */
  slow = 0
  /** The last connection that was tried was opened; before that, one at a time. */
  proven = false
  /** Times in a row that no host could be reached. */
  failures = 0
  failedAt = 0
  downUntil = 0
  lastFailure: RecipientOutcome | null = null
  /** Rows of it beyond a hundred are not held until then, so that other destinations get their turn. */
  crowdedUntil = 0
  /** How many were given back for that. */
  givenBack = 0

  constructor(domain: string, route: Endpoint | null) {
    this.key = destinationKey(domain, route)
    this.domain = domain
    this.route = route
  }

  /**
   * RFC 6710 §4.2: what has a higher priority goes first; each step of it counts as a minute of waiting, so that nothing is
   * overtaken for longer than that.
   */
  add(held: Held): void {
    const turn = turnOf(held)
    let at = this.waiting.length
    while (at > 0 && turnOf(this.waiting[at - 1]!) > turn) at--
    this.waiting.splice(at, 0, held)
  }

  wantsConnection(bounds: QueueBounds): boolean {
    if (this.waiting.length === 0) return false
    if (!this.proven) return this.active === 0
    // A message that takes long should not hold up those behind it, so its connection does not count.
    const quick = this.active - this.slow
    return (
      this.active < bounds.connectionsPerDestination &&
      this.waiting.length > bounds.messagesBeforeAnother * quick
    )
  }

  opened(): void {
    this.proven = true
    this.failures = 0
    this.downUntil = 0
    this.lastFailure = null
  }

  /** @param same Part of an outage that is known already. */
  failed(outcome: RecipientOutcome, now: number, downUntil: number, same: boolean): void {
    this.proven = false
    if (!same) this.failures++
    this.failedAt = now
    this.downUntil = downUntil
    this.lastFailure = outcome
  }

  /**
   * Whether a row has to wait for the end of an outage instead of being tried. What fails during an outage is never
   * scheduled within it, so a row with attempts that is due again since the failure was hurried by a person.
   */
  mustWait(held: Held, now: number): boolean {
    if (this.downUntil <= now || this.active > 0 || this.waiting.length > 0) return false
    const { attempts, nextAttemptAt } = held.entry
    return !(attempts > 0 && nextAttemptAt > this.failedAt)
  }

  /** Nothing of it is worth remembering. */
  isIdle(now: number): boolean {
    return this.active === 0 && this.waiting.length === 0 && now >= this.downUntil + rememberMs
  }
}

function turnOf({ takenAt, entry }: Held): number {
  return takenAt - entry.wishes.priority * 60_000
}

/** How long after an outage its length still counts. */
const rememberMs = 60 * 60_000

export function destinationKey(domain: string, route: Endpoint | null): string {
  return route === null ? domain : `${route.address} ${route.port}`
}
