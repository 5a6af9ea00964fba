/**
 * Sends the reports about each day after its end, at a time of our own choosing within four hours (RFC 8460 asks for
 * such a delay, so that not everybody reports at midnight). What has been handed to the queue is forgotten; what DNS hid
 * is tried again every hour for half a day. Days that ended while no server ran are made up for.
 */
import { dayMs, dayOf } from '../days.ts'
import { sendDmarcReport } from './send-dmarc.ts'
import { sendTlsReport } from './send-tls.ts'
import type { ReportOutcome, SendingWorld } from './world.ts'

export interface SendRequest {
  /** Also what was seen today so far. */
  readonly today: boolean
  /** Nothing leaves, nothing is forgotten. */
  readonly dryRun: boolean
}

const minute = 60_000
const jitterMs = 4 * 60 * minute
/** After midnight, so that what began before it has been counted. */
const settleMs = 5 * minute
const againMs = 60 * minute
/** After the end of its day a report does not wait for DNS any longer. */
const patienceMs = 12 * 60 * minute

export class Reporter {
  readonly #world: SendingWorld
  #cancel: (() => void) | null = null
  /** One run at a time: a report must not leave twice. */
  #running: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(world: SendingWorld) {
    this.#world = world
  }

  start(): void {
    // What was left by the last run of this server goes with the first of this one, soon.
    this.#after(settleMs + this.#jitter(againMs))
  }

  /** Resolves when the report at hand has been handed over. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#running.catch(() => {})
  }

  send(request: SendRequest): Promise<ReportOutcome[]> {
    const run = this.#running.catch(() => {}).then(() => this.#send(request))
    this.#running = run
    return run
  }

  async #send({ today, dryRun }: SendRequest): Promise<ReportOutcome[]> {
    const { dmarc, tls, clock } = this.#world
    const taken = new Map<string, number>()
    const before = dayOf(clock.now()) + (today ? dayMs : 0)
    const outcomes: ReportOutcome[] = []
    for (const gathered of dmarc?.gathered(before) ?? []) {
      if (this.#stopped) break
      const outcome = await sendDmarcReport(this.#world, gathered, {
        ...this.#how(gathered.day, dryRun),
        taken,
      })
      outcomes.push(outcome)
      if (!dryRun && outcome.state !== 'later') dmarc?.forget(gathered.key)
    }
    for (const gathered of tls?.gathered(before) ?? []) {
      if (this.#stopped) break
      const outcome = await sendTlsReport(this.#world, gathered, this.#how(gathered.day, dryRun))
      outcomes.push(outcome)
      if (!dryRun && outcome.state !== 'later') tls?.forget(gathered.day, gathered.domain)
    }
    return outcomes
  }

  #how(day: number, dryRun: boolean): { dryRun: boolean; lastTry: boolean } {
    return { dryRun, lastTry: this.#world.clock.now() >= day + dayMs + patienceMs }
  }

  async #due(): Promise<void> {
    const { clock, log } = this.#world
    let again = false
    try {
      const outcomes = await this.send({ today: false, dryRun: false })
      again = outcomes.some(({ state }) => state === 'later')
      const sent = outcomes.filter(({ state }) => state === 'sent').length
      if (outcomes.length > 0) log.info('reports about other domains', { sent, of: outcomes.length })
    } catch (error) {
      log.error('reports cannot be sent', { error })
      again = true
    }
    if (this.#stopped) return
    const untilMidnight = dayOf(clock.now()) + dayMs - clock.now()
    const next = untilMidnight + settleMs + this.#jitter(jitterMs)
    this.#after(again ? Math.min(againMs, next) : next)
  }

  #after(delayMs: number): void {
    this.#cancel = this.#world.clock.after(delayMs, () => {
      void this.#due()
    })
  }

  #jitter(most: number): number {
    const [high = 0, low = 0] = this.#world.random.bytes(2)
    return Math.floor(((high * 256 + low) / 65_536) * most)
  }
}
