/**
 * Counts what was seen of each domain that wants reports, day by day, until the day's reports have been handed to the
 * queue. Equal rows are one with a count. In memory within bounds, written behind into notes: a crash loses seconds of it.
 */
import { createHash } from 'node:crypto'
import type { ReportLimits } from '../../base/report-limits.ts'
import type { Json } from '../../journey/event.ts'
import type { Notes } from '../../store/notes.ts'
import { dayMs, dayOf } from '../days.ts'
import type { DmarcObservation, DmarcObserver, ObservedPolicy } from './observation.ts'
import type { DmarcRecord } from './report.ts'

/** What one report will be about: one policy of one domain on one day, RFC 9990 */
export interface Gathered {
  readonly key: string
  readonly day: number
  readonly policy: ObservedPolicy
  /** As published last. */
  readonly rua: string
  readonly records: readonly DmarcRecord[]
  /** Messages whose rows there was no room for. */
  readonly leftOut: number
}

interface Group {
  readonly day: number
  readonly policy: ObservedPolicy
  rua: string
  leftOut: number
  readonly rows: Map<string, DmarcRecord>
}

/** Policies that one domain may change to in a day; its mail is counted under the last one then. */
const policiesPerDay = 5
/** A day whose reports could not be sent is given up: what is older helps nobody. */
export const keptMs = 3 * dayMs
/** RFC 9990 */
const signaturesMax = 100
const groupKind = 'dmarc-report'
const rowKind = 'dmarc-row'

export class DmarcGatherer implements DmarcObserver {
  readonly #notes: Notes
  readonly #limits: Pick<ReportLimits, 'reportRows' | 'reportRowsPerDomain'>
  readonly #groups = new Map<string, Group>()
  /** Keys of the groups of a domain on a day, by both. */
  readonly #ofDomain = new Map<string, string[]>()
  #rows = 0

  constructor(notes: Notes, limits: Pick<ReportLimits, 'reportRows' | 'reportRowsPerDomain'>) {
    this.#notes = notes
    this.#limits = limits
    for (const [key, { value }] of notes.list(groupKind)) {
      const { day, policy, rua, leftOut } = value as unknown as Group
      this.#addGroup(key, { day, policy, rua, leftOut, rows: new Map() })
    }
    for (const [key, { value }] of notes.list(rowKind)) {
      const group = this.#groups.get(key.slice(0, hashChars))
      if (group === undefined) continue
      group.rows.set(key, value as unknown as DmarcRecord)
      this.#rows++
    }
  }

  observe(observation: DmarcObservation): void {
    const { at, policy, rua } = observation
    if (rua === null) return
    const day = dayOf(at)
    const key = this.#groupFor(day, policy, rua)
    if (key === null) return
    const group = this.#groups.get(key)!
    if (group.rua !== rua) {
      group.rua = rua
      this.#keepGroup(key, group)
    }
    const row = rowOf(observation)
    const rowKey = `${key}${hashOf(row)}`
    const known = group.rows.get(rowKey)
    if (known === undefined && !this.#hasRoom(group)) {
      group.leftOut++
      this.#keepGroup(key, group)
      return
    }
    if (known === undefined) this.#rows++
    const counted = { ...row, count: (known?.count ?? 0) + 1 }
    group.rows.set(rowKey, counted)
    this.#notes.put(rowKind, rowKey, counted as unknown as Json, day + keptMs)
  }

  /** @param before Beginnings of days below it count. */
  gathered(before: number): Gathered[] {
    const found: Gathered[] = []
    for (const [key, { day, policy, rua, leftOut, rows }] of this.#groups)
      if (day < before) found.push({ key, day, policy, rua, leftOut, records: [...rows.values()] })
    return found
  }

  /** The report has been handed on, or given up. What came since it was gathered is forgotten with it. */
  forget(key: string): void {
    const group = this.#groups.get(key)
    if (group === undefined) return
    this.#groups.delete(key)
    this.#rows -= group.rows.size
    for (const rowKey of group.rows.keys()) this.#notes.delete(rowKind, rowKey)
    this.#notes.delete(groupKind, key)
    const place = placeOf(group.day, group.policy.domain)
    const rest = (this.#ofDomain.get(place) ?? []).filter((one) => one !== key)
    if (rest.length > 0) this.#ofDomain.set(place, rest)
    else this.#ofDomain.delete(place)
  }

  /** @returns Null: there is no room for another domain. */
  #groupFor(day: number, policy: ObservedPolicy, rua: string): string | null {
    const key = hashOf({ day, policy })
    if (this.#groups.has(key)) return key
    const others = this.#ofDomain.get(placeOf(day, policy.domain)) ?? []
    if (others.length >= policiesPerDay) return others.at(-1)!
    if (this.#groups.size >= this.#limits.reportRows) return null
    const group = { day, policy, rua, leftOut: 0, rows: new Map() }
    this.#addGroup(key, group)
    this.#keepGroup(key, group)
    return key
  }

  #addGroup(key: string, group: Group): void {
    this.#groups.set(key, group)
    const place = placeOf(group.day, group.policy.domain)
    this.#ofDomain.set(place, [...(this.#ofDomain.get(place) ?? []), key])
  }

  #keepGroup(key: string, { day, policy, rua, leftOut }: Group): void {
    this.#notes.put(groupKind, key, { day, policy, rua, leftOut } as unknown as Json, day + keptMs)
  }

  #hasRoom(group: Group): boolean {
    const ofDomain = this.#ofDomain.get(placeOf(group.day, group.policy.domain)) ?? []
    const rows = ofDomain.reduce((sum, key) => sum + this.#groups.get(key)!.rows.size, 0)
    return rows < this.#limits.reportRowsPerDomain && this.#rows < this.#limits.reportRows
  }
}

const hashChars = 22

function placeOf(day: number, domain: string): string {
  return `${day} ${domain}`
}

function hashOf(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, hashChars)
}

/** RFC 9990: one for each address, result and identifiers. */
function rowOf(observation: DmarcObservation): DmarcRecord {
  const { sourceAddress, headerFromDomain, reversePathDomain, spf, dkim, aligned } = observation
  return {
    sourceAddress,
    count: 1,
    disposition: observation.disposition,
    dkim: aligned.dkim ? 'pass' : 'fail',
    spf: aligned.spf ? 'pass' : 'fail',
    reasons: observation.reasons.map(({ type, comment }) => ({ type, comment })),
    headerFrom: headerFromDomain,
    envelopeFrom: reversePathDomain,
    envelopeTo: null,
    dkimResults: dkim
      .slice(0, signaturesMax)
      .map(({ domain, selector, result }) => ({ domain, selector, result, humanResult: null })),
    // RFC 9990: `mfrom` is the only scope. For the null reverse-path it is postmaster@HELO, RFC 7208 §2.4.
    spfResults:
      spf === null ? [] : [{ domain: spf.domain, scope: 'mfrom', result: spf.result, humanResult: null }],
  }
}
