/**
 * What becomes of refusals in journeys: a conversation that was refused is a journey of its own, until one address has had
 * enough of them; what follows is counted in one journey for each address and reason, written anew every few seconds.
 * Ten thousand refusals of a banned address are one row with a count.
 */
import { BucketMap } from '../../base/bucket-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import { hostOf } from '../../base/network.ts'
import { type Random, timeOrderedId } from '../../base/random.ts'
import type { JourneyEvent, JourneySink } from '../../journey/event.ts'

export interface RefusalBookOptions {
  readonly journeys: JourneySink
  readonly clock: Clock
  readonly random: Random
  readonly limits: Pick<Limits, 'refusalsPerAddress' | 'addressesRemembered'>
}

/** A refusal that is counted with others of its kind. */
export interface CountedRefusal {
  readonly remoteAddress: string
  /** `connect`, `hello`, `mail`, `rcpt`, `data`, `end`, `login`. */
  readonly stage: string
  /** Those of one reason are counted together: a reply's text, or why the gate was shut. */
  readonly reason: string
}

interface Count {
  readonly journeyId: string
  readonly refusal: CountedRefusal
  readonly startedAt: number
  count: number
  /** The event says what happened; it is written with the first count only. */
  isNew: boolean
}

const windowMs = 600_000
/** After so long a new row is begun, so that a list by time shows what goes on. */
const rowMs = 3_600_000
const writeMs = 5_000
const rowsMax = 10_000

export class RefusalBook {
  readonly #options: RefusalBookOptions
  readonly #own: BucketMap
  readonly #counts = new Map<string, Count>()
  /** Those that the journeys do not know as they are now. */
  readonly #changed = new Set<Count>()
  #cancelWrite: (() => void) | null = null

  constructor(options: RefusalBookOptions) {
    this.#options = options
    const { clock, limits } = options
    const perWindow = limits.refusalsPerAddress
    this.#own = new BucketMap(clock, perWindow, windowMs / perWindow, limits.addressesRemembered)
  }

  /** Whether a refused conversation is to have a journey of its own. */
  takes(remoteAddress: string): boolean {
    const host = hostOf(remoteAddress)
    if (this.#own.isFull(host)) return false
    this.#own.add(host)
    return true
  }

  count(refusal: CountedRefusal): void {
    const { clock, random } = this.#options
    const now = clock.now()
    const key = `${hostOf(refusal.remoteAddress)} ${refusal.stage} ${refusal.reason}`
    let row = this.#counts.get(key)
    if (row === undefined || now - row.startedAt > rowMs) {
      const journeyId = timeOrderedId(now, random)
      row = { journeyId, refusal, startedAt: now, count: 0, isNew: true }
      this.#makeRoom()
    }
    row.count++
    this.#changed.add(row)
    this.#counts.delete(key)
    this.#counts.set(key, row)
    this.#cancelWrite ??= clock.after(writeMs, () => this.flush())
  }

  /** Writes what has changed. */
  flush(): void {
    this.#cancelWrite?.()
    this.#cancelWrite = null
    for (const row of this.#changed) this.#write(row)
  }

  #makeRoom(): void {
    if (this.#counts.size < rowsMax) return
    for (const [key, row] of this.#counts) {
      this.#write(row)
      this.#counts.delete(key)
      break
    }
  }

  #write(row: Count): void {
    if (!this.#changed.delete(row)) return
    const { remoteAddress, stage, reason } = row.refusal
    const event: JourneyEvent = {
      at: row.startedAt,
      dtUs: 0,
      stage: 'judged',
      kind: 'refuse',
      witness: 'observed',
      visibleTo: ['admin'],
      data: { stage, text: reason, remoteAddress },
    }
    this.#options.journeys.append({
      journeyId: row.journeyId,
      facts: { direction: 'in', state: 'refused', remoteAddress, count: row.count },
      events: row.isNew ? [event] : [],
    })
    row.isNew = false
  }
}
