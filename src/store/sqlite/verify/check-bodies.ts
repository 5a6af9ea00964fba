/** Rows of bodies belong to somebody; and each body is where its row says, whole. */
import type { WorkProgress } from '../../backup.ts'
import type { Sql } from '../database.ts'
import type { NumberSet } from '../housekeeping/number-set.ts'
import { recordHeaderOctets } from '../record.ts'
import { type Findings, rowsMax } from './findings.ts'
import {
  BadBody,
  type BodyPlaces,
  StoredBodies,
  type StoredBody,
  storedBodyColumns,
  storedBodyOf,
} from './stored-body.ts'

const rowsAtOnce = 2_000
/** Damaged ones that are looked up at once: each look-up reads all emails. */
const blamedAtOnce = 500

/** @param owned By emails and the queue. */
export function checkBodyRows(sql: Sql, findings: Findings, owned: NumberSet): void {
  for (let after = 0; ; ) {
    const rows = sql.all<readonly [number, number]>(
      `SELECT blob, account FROM blob WHERE blob > ? ORDER BY blob LIMIT ${rowsAtOnce}`,
      after,
    )
    for (const [blob, account] of rows)
      if (!owned.has(blob)) findings.add('body-unowned', `Body ${blob} belongs to no message`, { account })
    if (rows.length < rowsAtOnce) break
    after = rows.at(-1)![0]
  }
  for (const [segment, count, end, octets] of sql.all<readonly [number, number, number, number | null]>(
    `SELECT * FROM (SELECT b.segment, count(*) AS n, max(offset + ${recordHeaderOctets} + stored) AS end, s.octets AS octets
      FROM blob b LEFT JOIN segment s ON s.segment = b.segment WHERE b.file IS NULL GROUP BY b.segment)
      WHERE octets IS NULL OR end > octets OR segment IS NULL LIMIT ${rowsMax}`,
  )) {
    const text =
      octets === null
        ? `${count} bodies lie in segment ${segment}, which the tables do not know`
        : `Bodies lie in segment ${segment} up to octet ${end}, the tables know it up to ${octets}`
    findings.add('segment', text)
  }
}

interface Damaged {
  readonly blob: number
  readonly account: number
  readonly text: string
}

export interface BodiesRead {
  bodies: number
  octets: number
}

/** Reads all bodies, in the order in which they arrived. Each page is a question of its own: nobody's log is held back. */
export function checkBodies(
  sql: Sql,
  findings: Findings,
  places: BodyPlaces,
  quick: boolean,
  progress: (progress: WorkProgress) => void,
): BodiesRead {
  const read: BodiesRead = { bodies: 0, octets: 0 }
  const bodies = new StoredBodies(places)
  const total = Number(sql.get('SELECT count(*) FROM blob')?.[0])
  let damaged: Damaged[] = []
  /** Several rows may point at one body. */
  let last: StoredBody | null = null
  for (let after = 0, done = 0; ; ) {
    const rows = sql.all(
      `SELECT ${storedBodyColumns}, blob, account FROM blob WHERE blob > ? ORDER BY blob LIMIT ${rowsAtOnce}`,
      after,
    )
    for (const row of rows) {
      const body = storedBodyOf(row)
      const [blob, account] = row.slice(7) as [number, number]
      read.bodies++
      if (isSame(body, last)) continue
      try {
        bodies.check(body, quick)
        read.octets += quick ? 0 : body.octets
        last = body
      } catch (error) {
        if (!(error instanceof BadBody)) throw error
        damaged.push({ blob, account, text: error.message })
        last = null
      }
      if (damaged.length >= blamedAtOnce) damaged = blame(sql, findings, damaged)
    }
    done += rows.length
    progress({ step: quick ? 'headers of bodies' : 'bodies', done, total, unit: 'messages' })
    if (rows.length < rowsAtOnce) break
    after = rows.at(-1)![7] as number
  }
  blame(sql, findings, damaged)
  bodies.close()
  return read
}

function isSame(a: StoredBody, b: StoredBody | null): boolean {
  if (b === null || a.segment !== b.segment || a.offset !== b.offset || a.file !== b.file) return false
  return (
    a.octets === b.octets &&
    a.stored === b.stored &&
    a.codec === b.codec &&
    Buffer.from(a.hash).equals(b.hash)
  )
}

/** Says whose they are. @returns None. */
function blame(sql: Sql, findings: Findings, damaged: readonly Damaged[]): Damaged[] {
  if (damaged.length === 0) return []
  const list = JSON.stringify(damaged.map(({ blob }) => blob))
  const places = new Map(
    sql
      .all<readonly [number, string]>(
        'SELECT blob, places FROM email WHERE blob IN (SELECT value FROM json_each(?))',
        list,
      )
      .map(([blob, text]) => [blob, text]),
  )
  const queued = new Map(
    sql
      .all<readonly [number, number]>(
        'SELECT blob, queue FROM queue WHERE blob IN (SELECT value FROM json_each(?))',
        list,
      )
      .map(([blob, queue]) => [blob, queue]),
  )
  for (const { blob, account, text } of damaged) {
    const queue = queued.get(blob)
    if (queue !== undefined) {
      findings.add('body', `The body of message ${queue} in the queue ${text}`, { account })
      continue
    }
    const shown = (places.get(blob) ?? '').split(' ').filter((place) => /^\d+:\d+$/.test(place))
    if (shown.length === 0) findings.add('body', `Body ${blob} ${text}`, { account })
    for (const place of shown) {
      const [mailbox, uid] = place.split(':').map(Number) as [number, number]
      findings.add('body', `The body ${text}`, { account, mailbox, uid })
    }
  }
  return []
}
