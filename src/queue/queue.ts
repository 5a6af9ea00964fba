/**
 * The outgoing queue: takes up what is due, tries it, writes down what became of it.
 *
 * Promised: a letter in the store leaves the queue only when it was handed over, bounced with a report, or dropped by a
 * person. Whatever is in memory here may be lost at any moment: a row is leased for five minutes, so a letter whose
 * attempt died with the process is tried again after that, or when the store is opened again. What a letter's end consists of, and in which single case it
 * can arrive twice, stands in `conclude.ts`; when it is tried again, in `retry-schedule.ts`.
 *
 * One row's way: due → leased → discarded by a route, filed at home, or waiting for a connection to its destination →
 * attempted → settled. Every number of rows, connections and bodies at once is bounded by `QueueBounds`.
 */
import type { QueueEntry } from '../store/queue.ts'
import type { HomePlan } from './local-delivery.ts'
import type { Held, QueueWorld } from './world.ts'
import type { OutgoingQueue } from './wake.ts'
import { withGetters } from '../base/live-table.ts'
import { Recorder } from '../journey/recorder.ts'
import { type Attempt, conclude } from './conclude.ts'
import { Dispatcher, type Ended } from './dispatcher.ts'
import { fileAtHome, unreported } from './home.ts'
import { Intake } from './intake.ts'
import { Leases } from './leases.ts'
import { defaultQueueBounds, type QueueOptions } from './options.ts'
import { delivered, forAll, localTrouble, type OutcomeMap, stillWaiting } from './outcome.ts'
import { SettlementWriter } from './settlement-writer.ts'
import { tooLate } from './wishes.ts'

/** While more is due than may be held, this often the longest line is looked at. */
const crowdCheckMs = 15_000
const firstPauseMs = 1_000
const longestPauseMs = 30_000
/** After force, for the last settlements. */
const lastGraceMs = 2_000

export function createQueue(options: QueueOptions): OutgoingQueue {
  const { dialler } = options
  // Absent, not disabled: no code below this line runs in a server that only catches mail.
  if (dialler === null) return { start() {}, stop: () => Promise.resolve(), runs: true, active: 0 }
  return new Queue({
    ...options,
    dialler,
    dialect: options.dialect ?? 'esmtp',
    port: options.port ?? 25,
    bounds: withGetters(defaultQueueBounds, options.bounds ?? {}),
    writer: new SettlementWriter(options.store),
  })
}

/** What is decided about a row without an attempt; null: it is to be attempted. */
function endedBefore(entry: QueueEntry, now: number): OutcomeMap | null {
  const late = tooLate(entry, now)
  if (late !== null) return new Map([...forAll(entry, late), ...unreported(entry)])
  return entry.recipients.some(({ state }) => state === 'reporting') ? unreported(entry) : null
}

class Queue implements OutgoingQueue {
  readonly #world: QueueWorld
  readonly #leases: Leases
  readonly #intake: Intake
  readonly #dispatcher: Dispatcher
  /** Rows whose filing or settlement is under way. */
  #writing = 0
  /** Rows that wait to be filed at home, beyond those that are being filed. */
  readonly #homeward: { held: Held; plan: HomePlan }[] = []
  #filing = 0
  #cancelCrowdCheck: (() => void) | null = null
  #stopping = false
  #forced = false
  readonly #pauses = new Set<() => void>()
  #whenIdle: (() => void) | null = null

  constructor(world: QueueWorld) {
    this.#world = world
    const { store, clock, log } = world
    this.#leases = new Leases(store, clock, log)
    this.#intake = new Intake(store, clock, log, {
      room: () => world.bounds.held - this.#leases.count,
      most: () => world.bounds.held,
      take: (entries) => this.#take(entries),
      starved: () => this.#checkCrowd(),
    })
    this.#dispatcher = new Dispatcher(world, {
      ended: (ended) => this.#ended(ended),
      giveBack: (held, untilMs) => this.#giveBack(held, untilMs),
      left: () => this.#check(),
    })
  }

  get active(): number {
    return this.#dispatcher.couriers + this.#writing
  }

  get runs(): boolean {
    return this.#intake.runs
  }

  start(): void {
    this.#intake.start()
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    const lastIntake = this.#intake.stop()
    this.#cancelCrowdCheck?.()
    for (const { held } of this.#homeward.splice(0)) this.#giveBack(held, this.#world.clock.now())
    this.#dispatcher.stop()
    await lastIntake
    if (!(await this.#idle(graceMs))) {
      this.#forced = true
      this.#dispatcher.destroy()
      for (const proceed of this.#pauses) proceed()
      await this.#idle(lastGraceMs)
    }
    this.#leases.stop()
  }

  #take(entries: readonly QueueEntry[]): void {
    for (const entry of entries) {
      const held = this.#leases.hold(entry)
      if (held === null) continue
      const early = endedBefore(entry, this.#world.clock.now())
      const route = this.#world.routes.get(entry.domain)
      if (early !== null) this.#ended({ held, recorder: null, outcomes: early, link: null, notBefore: 0 })
      else if (route === 'discard') this.#discard(held)
      else if (route !== undefined) this.#dispatcher.add(held, route)
      else this.#choose(held)
    }
  }

  /** Home or away: asked anew at each attempt, because domains come and go while letters wait. */
  async #choose(held: Held): Promise<void> {
    const { localDelivery, clock, log } = this.#world
    const { entry } = held
    let plan: HomePlan | null
    try {
      plan = await localDelivery.plan({ ...entry, recipients: stillWaiting(entry) }, clock.now())
    } catch (error) {
      log.error('cannot decide where a queued letter goes', { queueId: entry.queueId, error })
      const outcomes = forAll(entry, localTrouble('Local error in processing', 'queue'))
      this.#ended({ held, recorder: null, outcomes, link: null, notBefore: 0 })
      return
    }
    if (this.#stopping) this.#giveBack(held, clock.now())
    else if (plan === null) this.#dispatcher.add(held, null)
    else {
      this.#homeward.push({ held, plan })
      this.#fileNext()
    }
  }

  #fileNext(): void {
    while (this.#filing < this.#world.bounds.atHome) {
      const next = this.#homeward.shift()
      if (next === undefined) return
      this.#filing++
      this.#file(next.held, next.plan).finally(() => {
        this.#filing--
        this.#fileNext()
      })
    }
  }

  async #file(held: Held, plan: HomePlan): Promise<void> {
    this.#writing++
    try {
      const filed = await fileAtHome(this.#world, held, plan)
      await this.#conclude(held, { ...filed, entry: held.entry, link: null, notBefore: 0 })
    } finally {
      this.#done()
    }
  }

  #discard(held: Held): void {
    const outcomes = forAll(held.entry, delivered('Discarded by a route', 'queue'))
    this.#ended({ held, recorder: null, outcomes, link: null, notBefore: 0 })
  }

  async #ended(ended: Ended): Promise<void> {
    const { held, outcomes, link, notBefore } = ended
    const { entry } = held
    const recorder = ended.recorder ?? new Recorder(this.#world.clock, entry.journeyId !== null)
    this.#writing++
    try {
      await this.#conclude(held, { entry, outcomes, recorder, link, notBefore })
    } finally {
      this.#done()
    }
  }

  /** Until the store takes it: what has been handed over must not be handed over again. */
  async #conclude(held: Held, attempt: Attempt): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      try {
        await conclude(this.#world, attempt)
        break
      } catch (error) {
        this.#world.log.error('cannot write the end of an attempt', { queueId: held.entry.queueId, error })
        if (this.#forced) break
        await this.#pause(pauseMs)
      }
    }
    this.#leases.release(held)
  }

  #giveBack(held: Held, untilMs: number): void {
    this.#writing++
    this.#leases.giveBack(held, untilMs).finally(() => this.#done())
  }

  #done(): void {
    this.#writing--
    this.#intake.roomMade()
    this.#check()
  }

  #check(): void {
    if (this.active === 0) this.#whenIdle?.()
  }

  #checkCrowd(): void {
    if (this.#cancelCrowdCheck !== null || this.#stopping) return
    this.#cancelCrowdCheck = this.#world.clock.after(crowdCheckMs, () => {
      this.#cancelCrowdCheck = null
      this.#dispatcher.relieve()
      this.#intake.wake()
    })
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const proceed = (): void => {
        cancel()
        this.#pauses.delete(proceed)
        resolve()
      }
      const cancel = this.#world.clock.after(ms, proceed)
      this.#pauses.add(proceed)
    })
  }

  /** @returns Whether everything has ended within the time. */
  #idle(withinMs: number): Promise<boolean> {
    if (this.active === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const end = (idle: boolean): void => {
        cancel()
        this.#whenIdle = null
        resolve(idle)
      }
      const cancel = this.#world.clock.after(withinMs, () => end(false))
      this.#whenIdle = () => end(true)
    })
  }
}
