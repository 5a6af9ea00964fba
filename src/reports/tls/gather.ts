/** Counts how sessions to each domain fared with TLS, day by day; as `dmarc/gather.ts` does for mail that comes in. */
import { createHash } from 'node:crypto'
import type { ReportLimits } from '../../base/report-limits.ts'
import type { Json } from '../../journey/event.ts'
import type { Notes } from '../../store/notes.ts'
import { dayMs, dayOf } from '../days.ts'
import type { TlsObservation, TlsObserver, TlsPolicy } from './observation.ts'
import type { TlsFailure, TlsPolicyReport } from './report.ts'

/** What one report will be about: a domain on one day. */
export interface GatheredTls {
  readonly day: number
  readonly domain: string
  readonly policies: readonly TlsPolicyReport[]
}

interface Counted {
  readonly day: number
  readonly domain: string
  readonly policy: TlsPolicy
  succeeded: number
  failed: number
  readonly failures: TlsFailure[]
}

const keptMs = 3 * dayMs
/** Different failures under one policy in a day; the sum counts the others. */
const failuresMax = 100
const kind = 'tls-report'

export class TlsGatherer implements TlsObserver {
  readonly #notes: Notes
  readonly #limits: Pick<ReportLimits, 'reportRows'>
  readonly #counted = new Map<string, Counted>()

  constructor(notes: Notes, limits: Pick<ReportLimits, 'reportRows'>) {
    this.#notes = notes
    this.#limits = limits
    for (const [key, { value }] of notes.list(kind)) this.#counted.set(key, value as unknown as Counted)
  }

  observe(observation: TlsObservation): void {
    const { at, domain, policy } = observation
    const day = dayOf(at)
    const key = createHash('sha256')
      .update(JSON.stringify([day, domain, policy]))
      .digest('base64url')
    let counted = this.#counted.get(key)
    if (counted === undefined) {
      if (this.#counted.size >= this.#limits.reportRows) return
      counted = { day, domain, policy, succeeded: 0, failed: 0, failures: [] }
      this.#counted.set(key, counted)
    }
    count(counted, observation)
    this.#notes.put(kind, key, counted as unknown as Json, day + keptMs)
  }

  /** @param before Beginnings of days below it count. */
  gathered(before: number): GatheredTls[] {
    const found = new Map<string, { day: number; domain: string; policies: TlsPolicyReport[] }>()
    for (const counted of this.#counted.values()) {
      const { day, domain, policy, succeeded, failed, failures } = counted
      if (day >= before) continue
      const place = `${day} ${domain}`
      const report = found.get(place) ?? { day, domain, policies: [] }
      found.set(place, report)
      const { type, strings, mxHosts } = policy
      report.policies.push({ type, domain, strings, mxHosts, succeeded, failed, failures: [...failures] })
    }
    return [...found.values()]
  }

  forget(day: number, domain: string): void {
    for (const [key, counted] of this.#counted) {
      if (counted.day !== day || counted.domain !== domain) continue
      this.#counted.delete(key)
      this.#notes.delete(kind, key)
    }
  }
}

function count(counted: Counted, observation: TlsObservation): void {
  const { failure, mxHost, sendingAddress, receivingAddress, reason } = observation
  if (failure === null) {
    counted.succeeded++
    return
  }
  counted.failed++
  const same = counted.failures.findIndex(
    (one) =>
      one.type === failure &&
      one.mxHost === mxHost &&
      one.sendingAddress === sendingAddress &&
      one.receivingAddress === receivingAddress &&
      one.reason === reason,
  )
  const known = counted.failures[same]
  if (known !== undefined) counted.failures[same] = { ...known, count: known.count + 1 }
  else if (counted.failures.length < failuresMax) {
    const facts = { mxHost, sendingAddress, receivingAddress, reason }
    counted.failures.push({ type: failure, count: 1, ...facts, mxHelo: null, more: null })
  }
}
