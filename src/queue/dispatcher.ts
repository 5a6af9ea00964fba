/**
 * Who gets a connection next: destinations by turns, within the bounds; one connection to a destination that has not
 * answered yet; none to one that is down. What a step costs does not depend on how many rows wait.
 */
import type { Link } from '../journey/event.ts'
import type { Recorder } from '../journey/recorder.ts'
import type { SmtpClient } from '../smtp/client/client.ts'
import type { Endpoint } from '../base/config.ts'
import type { OutcomeMap, RecipientOutcome } from './outcome.ts'
import type { Held, QueueWorld } from './world.ts'
import { Courier, type Desk } from './courier.ts'
import { Destination, destinationKey } from './destination.ts'
import { fraction, outageMs } from './retry-schedule.ts'

/** What was held back by an outage comes back over this time, not at once. */
const returnMs = 30_000
/** Destinations that are remembered at most without looking for idle ones. */
const rememberedMax = 5_000
/** Rows of one destination that are held while others wait for room. */
const crowdRows = 100
/** A row that has waited so long while others wait for room means that its destination is slow. */
const crowdAfterMs = 15_000
/** What such a destination gives back comes again after this, one by one in this interval: faster than it has shown to be. */
const crowdLeastMs = 60_000
const crowdIntervalMs = 10

/** The end of one attempt as the dispatcher passes it on. */
export interface Ended {
  readonly held: Held
  readonly recorder: Recorder | null
  readonly outcomes: OutcomeMap
  readonly link: Link | null
  readonly notBefore: number
}

export interface DispatcherDesk {
  ended(ended: Ended): void
  giveBack(held: Held, untilMs: number): void
  /** One connection less. */
  left(): void
}

export class Dispatcher implements Desk {
  readonly #world: QueueWorld
  readonly #desk: DispatcherDesk
  readonly #destinations = new Map<string, Destination>()
  /** Those that may want a connection, in the order of their turn. */
  readonly #ready = new Set<Destination>()
  readonly #clients = new Set<SmtpClient>()
  #couriers = 0
  #stopping = false
  #forced = false

  constructor(world: QueueWorld, desk: DispatcherDesk) {
    this.#world = world
    this.#desk = desk
  }

  get couriers(): number {
    return this.#couriers
  }

  get stopping(): boolean {
    return this.#stopping
  }

  add(held: Held, route: Endpoint | null): void {
    const now = this.#world.clock.now()
    const destination = this.#find(held.entry.domain, route, now)
    if (this.#stopping) this.giveBack(held)
    else if (destination.crowdedUntil > now && destination.waiting.length >= crowdRows) {
      this.#desk.giveBack(held, afterCrowd(destination, now))
    } else if (destination.lastFailure !== null && destination.mustWait(held, now)) {
      this.#postpone(destination, held, destination.lastFailure)
    } else {
      destination.add(held)
      this.changed(destination)
    }
  }

  /** Takes nothing more up; rows that nobody has begun with go back. */
  stop(): void {
    this.#stopping = true
    for (const destination of this.#destinations.values()) {
      for (const held of destination.waiting.splice(0)) this.giveBack(held)
    }
  }

  /** Ends the conversations under way; each attempt then ends as a temporary failure. */
  destroy(): void {
    this.#forced = true
    for (const client of this.#clients) client.destroy()
  }

  /** More is due than may be held: the destination with the longest line lets the others through if it does not move. */
  relieve(): void {
    const now = this.#world.clock.now()
    let longest: Destination | null = null
    for (const destination of this.#destinations.values()) {
      if (longest === null || destination.waiting.length > longest.waiting.length) longest = destination
    }
    const first = longest?.waiting[0]
    if (longest === null || first === undefined || now - first.takenAt < crowdAfterMs) return
    longest.crowdedUntil = now + crowdLeastMs
    longest.givenBack = 0
    for (const held of longest.waiting.splice(crowdRows)) {
      this.#desk.giveBack(held, afterCrowd(longest, now))
    }
  }

  ended(held: Held, recorder: Recorder, outcomes: OutcomeMap, link: Link | null): void {
    const destination = this.#destinations.get(this.#keyOf(held))
    this.#desk.ended({ held, recorder, outcomes, link, notBefore: this.#notBefore(destination) })
  }

  giveBack(held: Held): void {
    this.#desk.giveBack(held, this.#world.clock.now())
  }

  unreachable(destination: Destination, outcome: RecipientOutcome): void {
    const { clock, random, log } = this.#world
    const now = clock.now()
    // Several connections that find out together are one failure.
    const same = destination.downUntil > now
    const until = same ? destination.downUntil : now + outageMs(destination.failures + 1, random)
    destination.failed(outcome, now, until, same)
    log.info('destination cannot be reached', {
      destination: destination.key,
      reason: outcome.text,
      until: destination.downUntil,
    })
    for (const held of destination.waiting.splice(0)) this.#postpone(destination, held, outcome)
  }

  changed(destination: Destination): void {
    if (destination.wantsConnection(this.#world.bounds)) this.#ready.add(destination)
    this.#pump()
  }

  opened(client: SmtpClient): void {
    this.#clients.add(client)
    if (this.#forced) client.destroy()
  }

  closed(client: SmtpClient): void {
    this.#clients.delete(client)
  }

  #pump(): void {
    const { bounds } = this.#world
    for (const destination of this.#ready) {
      if (this.#stopping || this.#couriers >= bounds.connections) return
      this.#ready.delete(destination)
      if (!destination.wantsConnection(bounds)) continue
      this.#couriers++
      // Takes its row in this turn, before the next look at what is wanted.
      new Courier(this.#world, destination, this).run().finally(() => {
        this.#couriers--
        this.changed(destination)
        this.#desk.left()
      })
      if (destination.wantsConnection(bounds)) this.#ready.add(destination)
    }
  }

  #find(domain: string, route: Endpoint | null, now: number): Destination {
    const key = destinationKey(domain, route)
    const known = this.#destinations.get(key)
    if (known !== undefined) return known
    if (this.#destinations.size >= rememberedMax) this.#forget(now)
    const made = new Destination(domain, route)
    this.#destinations.set(key, made)
    return made
  }

  /** Idle ones; if that is not enough, the oldest that nothing waits for, whatever is known about them. */
  #forget(now: number): void {
    for (const [key, destination] of this.#destinations) {
      if (destination.isIdle(now)) this.#destinations.delete(key)
    }
    for (const [key, destination] of this.#destinations) {
      if (this.#destinations.size < rememberedMax / 2) return
      if (destination.active === 0 && destination.waiting.length === 0) this.#destinations.delete(key)
    }
  }

  #keyOf(held: Held): string {
    const route = this.#world.routes.get(held.entry.domain)
    return destinationKey(held.entry.domain, route === undefined || route === 'discard' ? null : route)
  }

  #postpone(destination: Destination, held: Held, outcome: RecipientOutcome): void {
    const outcomes = new Map(held.entry.recipients.map(({ forwardPath }) => [forwardPath, outcome]))
    const notBefore = this.#notBefore(destination)
    this.#desk.ended({ held, recorder: null, outcomes, link: null, notBefore })
  }

  #notBefore(destination: Destination | undefined): number {
    if (destination === undefined || destination.downUntil === 0) return 0
    return destination.downUntil + Math.round(returnMs * fraction(this.#world.random))
  }
}

function afterCrowd(destination: Destination, now: number): number {
  return now + crowdLeastMs + crowdIntervalMs * destination.givenBack++
}
